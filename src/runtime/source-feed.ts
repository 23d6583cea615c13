import type { Observable, Subscription } from 'rxjs';
import { type DepthlineError, located } from '../core/errors.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';
import type { StageLedger } from './ledger.ts';
import type { SourcePace } from './source-pace.ts';
import { Tap } from './tap.ts';

export interface SourceFeedParts {
  readonly source: Observable<Frame>;
  /** Name of the camera, which its frames get; undefined in a run of one source, whose frames have none. */
  readonly camera?: string | undefined;
  readonly ledger: StageLedger;
  readonly gate: Gate;
  readonly pace: SourcePace;
  /** Ends after this many frames. */
  readonly limit?: number | undefined;
  onError(error: DepthlineError): void;
  /** A frame is about to go to the operators. */
  onFrame(frame: Frame): void;
  /** No more frames will come; called once. */
  onEnd(): void;
}

/**
 * The source as the operators see it: subscribed to once, when the first operator subscribes;
 * counted, checked, and ended by `stop`. An error of the source ends it like its completion.
 */
export class SourceFeed {
  readonly #parts: SourceFeedParts;
  readonly #tap: Tap;
  #subscription: Subscription | undefined;
  #started = false;
  #over = false;

  constructor(parts: SourceFeedParts) {
    this.#parts = parts;
    this.#tap = new Tap(parts.gate, 'operators (not subscribed)', () => this.#start());
  }

  get frames(): Observable<Frame> {
    return this.#tap.frames;
  }

  /** True if it has given as many frames as were asked for. */
  get limitReached(): boolean {
    return this.#parts.ledger.left === this.#parts.limit;
  }

  /** True once no more frames will come. */
  get over(): boolean {
    return this.#over;
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#subscription?.unsubscribe();
    this.#tap.complete();
    this.#parts.onEnd();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#subscription = this.#parts.source.subscribe({
      next: (frame) => this.#next(frame),
      error: (error: unknown) => this.#fail(error),
      complete: () => this.stop(),
    });
    if (this.#over) this.#subscription.unsubscribe();
  }

  #next(given: Frame): void {
    if (this.#over) return;
    const { ledger, camera } = this.#parts;
    const problem = frameProblem(given);
    if (problem !== undefined) {
      this.#fail(new Error(`emitted ${problem}; a source must emit frames`));
      return;
    }
    const frame = given.camera === camera ? given : ofCamera(given, camera);
    ledger.entered++;
    this.#parts.pace.emitted();
    if (this.#tap.subscribed) {
      ledger.left++;
      this.#parts.onFrame(frame);
      this.#tap.push(frame);
    } else {
      ledger.drop(1, 'operators not subscribed');
    }
    if (this.limitReached) this.stop();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#parts.onError(located(error, 'SOURCE', `source ${this.#parts.ledger.name}`));
    this.stop();
  }
}

/** The name that a frame brings is of another run: anybody who publishes may have chosen it. */
function ofCamera(frame: Frame, camera: string | undefined): Frame {
  if (camera !== undefined) return { ...frame, camera };
  const { camera: _, ...unnamed } = frame;
  return unnamed as Frame;
}
