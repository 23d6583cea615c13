import type { ComponentContext } from '../core/component-context.ts';
import type { Frame, Origin } from '../core/frame.ts';
import { Numbering } from '../topic/numbering.ts';
import { PublisherClock } from '../topic/publisher-clock.ts';
import { StreamTime } from '../topic/stream-time.ts';
import { type Arrival, cameraOf } from './arrival.ts';

/** Frames of a stream as frames of this pipeline: by its own numbers and times. */
export class PlacedFrames {
  readonly #context: ComponentContext;
  readonly #numbering = new Map<string, Numbering>();
  readonly #time = new StreamTime();
  readonly #clock = new PublisherClock();
  readonly #ordered: boolean;
  readonly #live: boolean;
  #seq = -1;

  /**
   * @param ordered gaps in the numbers of a subject are lost frames
   * @param live frames arrive right after they were published, which tells what the publisher's clock shows
   */
  constructor(
    context: ComponentContext,
    { ordered, live }: { readonly ordered: boolean; readonly live: boolean },
  ) {
    this.#context = context;
    this.#ordered = ordered;
    this.#live = live;
  }

  /** @param skipped messages since the last frame that were counted already */
  place(arrival: Arrival, skipped = 0): Frame {
    const { clock } = this.#context;
    const { frame, header, receivedAt } = arrival;
    const lost = this.#ordered ? this.#lost(arrival, skipped) : 0;
    if (lost > 0) this.#context.dropped(lost, 'at capture');
    this.#seq += lost + skipped + 1;
    const nowMs = clock.now();
    const times = { capturedAt: frame.capturedAt, publishedAt: BigInt(header.publishedAt) };
    const capturedAt = this.#live
      ? this.#clock.capturedAt(times, receivedAt, nowMs)
      : earlier(frame.capturedAt, receivedAt);
    const origin: Origin = {
      id: arrival.id,
      camera: cameraOf(arrival.subject),
      seq: header.seq,
      pts: frame.pts,
      dropped: header.dropped,
    };
    return { ...frame, origin, seq: this.#seq, pts: this.#time.next(frame.pts, nowMs), capturedAt };
  }

  #lost({ subject, header }: Arrival, skipped: number): number {
    const numbering = this.#numbering.get(subject) ?? new Numbering();
    this.#numbering.set(subject, numbering);
    return numbering.next(header.seq, skipped).lost;
  }
}

function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
