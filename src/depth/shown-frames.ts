import { ageMs, type Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';

/** Frames over which the rate is taken. */
const counted = 30;

/** What a person sees of how a stream runs: frames per second, age, and frames that were not shown. */
export class ShownFrames {
  readonly #clock: Clock;
  /** Times of the last frames, milliseconds. */
  readonly #times: number[] = [];
  #firstSeq: number | undefined;
  #shown = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a frame that is shown now, and gives the line about it: `29.9 fps · 41 ms old`. */
  status(frame: Frame): string {
    const times = this.#times;
    times.push(this.#clock.now());
    if (times.length > counted) times.shift();
    this.#firstSeq ??= frame.seq;
    this.#shown++;
    const span = (times.at(-1) as number) - (times[0] as number);
    const missed = frame.seq - this.#firstSeq + 1 - this.#shown;
    const parts = [
      ...(span > 0 ? [`${(((times.length - 1) * 1000) / span).toFixed(1)} fps`] : []),
      `${Math.max(0, Math.round(ageMs(this.#clock, frame)))} ms old`,
      ...(missed > 0 ? [`${missed} not shown`] : []),
    ];
    return parts.join(' · ');
  }
}
