import type { ImageFrame } from '../core/frame.ts';
import type { Slot } from './slot.ts';

/** A picture whose depth somebody waits for. */
export interface Pending<Result> {
  readonly image: ImageFrame;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** Where a picture of a call is in memory that is shared with the worker. */
export interface PlacedPicture {
  readonly slot: number;
  /** Four bytes per pixel instead of three. */
  readonly alpha: boolean;
}

interface Place<Result> {
  readonly slot: Slot;
  pending: Pending<Result> | undefined;
  call: Call | undefined;
}

/** Pictures that the worker has been given together. */
interface Call {
  /** Of them without an answer. */
  left: number;
}

/** One in progress, and one that waits so that the worker does not idle. */
const mostCalls = 2;

/** Puts pictures into the memory that a worker shares, and gives them to it in calls of up to `batch`. */
export class PictureCalls<Result> {
  readonly #places: readonly Place<Result>[];
  readonly #batch: number;
  readonly #give: (pictures: readonly PlacedPicture[]) => void;
  /** Pictures that wait for room. */
  readonly #waiting: Pending<Result>[] = [];
  #calls = 0;
  /** Calls so far. */
  given = 0;
  /** Further pictures may come for the next call. */
  #gathers = false;

  constructor(
    slots: readonly Slot[],
    batch: number,
    give: (pictures: readonly PlacedPicture[]) => void,
  ) {
    this.#places = slots.map((slot) => ({ slot, pending: undefined, call: undefined }));
    this.#batch = batch;
    this.#give = give;
  }

  /** Pictures without an answer. */
  get load(): number {
    return this.#places.filter(({ pending }) => pending).length + this.#waiting.length;
  }

  /** A picture that comes now goes into the same call as others. */
  get joinable(): boolean {
    return this.#gathers && this.#waiting.length < this.#batch;
  }

  push(pending: Pending<Result>): void {
    this.#waiting.push(pending);
    if (this.#batch === 1) this.begin();
    else if (!this.#gathers) this.#gather();
  }

  /** Gives the worker waiting pictures, as far as there is room. */
  begin(): void {
    while (this.#waiting.length > 0 && this.#calls < mostCalls && !this.#gathers) this.#call();
  }

  /** What was in a slot, which is free now. */
  taken(index: number): { readonly slot: Slot; readonly pending: Pending<Result> } | undefined {
    const place = this.#places[index];
    if (!place?.pending || !place.call) return undefined;
    const { slot, pending, call } = place;
    place.pending = undefined;
    place.call = undefined;
    if (--call.left === 0) this.#calls--;
    return { slot, pending };
  }

  /** All that have no answer; those that wait are not given any more. */
  takeAll(): Pending<Result>[] {
    const all = [...this.#places.map(({ pending }) => pending), ...this.#waiting];
    this.#waiting.length = 0;
    return all.flatMap((pending) => pending ?? []);
  }

  /** Waits for the pictures that are there at the same time, so that one call takes them. */
  #gather(): void {
    this.#gathers = true;
    setImmediate(() => {
      this.#gathers = false;
      this.begin();
    });
  }

  #call(): void {
    const call = { left: 0 };
    const pictures: PlacedPicture[] = [];
    for (const [slot, place] of this.#places.entries()) {
      if (place.pending || pictures.length === this.#batch) continue;
      const pending = this.#waiting.shift();
      if (!pending) break;
      place.pending = pending;
      place.call = call;
      place.slot.pixels.set(pending.image.data);
      pictures.push({ slot, alpha: pending.image.format === 'rgba' });
    }
    call.left = pictures.length;
    this.#calls++;
    this.given++;
    this.#give(pictures);
  }
}
