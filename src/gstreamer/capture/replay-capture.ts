import type { Subscriber } from 'rxjs';
import type { RawFrame } from '../../core/capture-stream.ts';
import type { ComponentContext } from '../../core/component-context.ts';
import type { Frame } from '../../core/frame.ts';
import type { ContainerFacts } from '../video-container.ts';
import { Capture, type CaptureOptions, type Trouble } from './capture.ts';
import { FramePosition, type ReplayPosition, TimePosition } from './replay-position.ts';

export interface ReplayOptions extends CaptureOptions {
  /** Restart at the end. */
  readonly loop?: boolean;
  /** Facts from the structure of the file, read after its end. */
  inspect?(): Promise<ContainerFacts | undefined>;
}

const restartsInRow = 5;
/** Frames that a codec may keep back to reorder them: H.264 and H.265 allow 16. */
const mostReordered = 16;

/**
 * A source that delivers the same frames in each run, such as a file: after a restart it is read from
 * the start, and frames that were delivered before are skipped.
 */
export class ReplayCapture extends Capture<ReplayOptions> {
  readonly #position: ReplayPosition;
  #receivedAtRestart = 0;
  /** Frames of this turn, and pictures that could not be decoded. */
  #taken = 0;
  #damaged = 0;
  #newestPts = 0n;
  #intervalNs = 0n;
  #inspected = false;

  constructor(options: ReplayOptions, context: ComponentContext, subscriber: Subscriber<Frame>) {
    super(options, context, subscriber);
    // Where frames are dropped they cannot be counted.
    this.#position = options.intake.losses === 'none' ? new FramePosition() : new TimePosition();
  }

  protected override get pacedFrom(): bigint {
    return this.#position.pts;
  }

  protected override accepts(frame: RawFrame): boolean {
    if (this.#position.seenBefore(frame)) return false;
    this.#position.advance(frame);
    this.#taken++;
    this.#newestPts = frame.pts ?? this.#newestPts;
    this.#intervalNs = frame.caps.interval ?? frame.duration ?? this.#intervalNs;
    return true;
  }

  protected override newlyDamaged(total: number): number {
    // After a restart the same ones are met again.
    const fresh = Math.max(0, total - this.#damaged);
    this.#damaged += fresh;
    return fresh;
  }

  protected override onEndOfStream() {
    const { inspect } = this.options;
    if (!inspect || this.#inspected) return this.#endTurn();
    this.#inspected = true;
    inspect().then((facts) => {
      if (facts?.cutOff) this.#reportCutOff(facts.durationNs);
      this.#endTurn();
    });
  }

  #reportCutOff(durationNs: bigint | undefined) {
    const { context, options } = this;
    const missing = durationNs === undefined ? 0 : this.#missing(durationNs);
    const seconds = (ns: bigint) => `${(Number(ns) / 1e9).toFixed(2)} s`;
    const endNs = this.#newestPts + this.#intervalNs;
    // The last frame that is shown may be there while one before it, stored behind it, is missing.
    const end = seconds(durationNs !== undefined && endNs > durationNs ? durationNs : endNs);
    const frames = missing === 1 ? 'missing frame is' : `missing ${missing} frames are`;
    const lost =
      durationNs !== undefined && missing > 0
        ? `${end} of ${seconds(durationNs)}; the ${frames} counted as dropped`
        : end;
    context.log.warn(`${options.what} is cut off: it ends after ${lost}`);
    if (missing > 0) context.dropped(missing, 'missing from the file');
  }

  #missing(durationNs: bigint): number {
    if (this.#intervalNs <= 0n) return 0;
    const frames = (ns: bigint) => Math.round(Number(ns) / Number(this.#intervalNs));
    const behind = frames(durationNs - this.#newestPts) - 1;
    if (this.options.intake.losses !== 'none') return behind;
    // Frames are stored in another order than shown: some before the newest are missing too.
    const uncounted = frames(durationNs) - this.#taken - this.#damaged;
    return Math.min(uncounted, behind + mostReordered);
  }

  #endTurn() {
    if (!this.options.loop) return this.finish();
    this.#damaged = 0;
    this.#taken = 0;
    // A new process per turn: gdppay passes no seek on.
    this.#position.rewind();
    this.timeline.restart();
    this.launch();
  }

  protected override onTrouble(trouble: Trouble) {
    // A file fails at the same frame again.
    const noProgress = this.budget.inRow > 0 && this.received === this.#receivedAtRestart;
    if (trouble.reported && (this.received === 0 || noProgress)) return this.fail(trouble);
    this.#receivedAtRestart = this.received;
    const pause = this.restart(trouble.why, restartsInRow);
    if (pause === undefined) return this.fail(trouble);
    this.context.log.warn(`${trouble.why}; restarting${inPause(pause)}`);
  }

  protected override beforeRestart() {
    this.#position.resume();
  }
}

/** ` in 200 ms`, or nothing if there is no pause. */
export function inPause(pauseMs: number): string {
  return pauseMs > 0 ? ` in ${Math.round(pauseMs)} ms` : '';
}
