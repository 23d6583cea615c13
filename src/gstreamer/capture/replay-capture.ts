import type { Subscriber } from 'rxjs';
import type { ComponentContext } from '../../core/component.ts';
import type { Frame } from '../../core/frame.ts';
import { Capture, type CaptureOptions, type Trouble } from './capture.ts';
import type { RawFrame } from './frame-reader.ts';
import { FramePosition, type ReplayPosition, TimePosition } from './replay-position.ts';

export interface ReplayOptions extends CaptureOptions {
  /** Begin again at the end. */
  readonly loop?: boolean;
}

const restartsInRow = 5;

/**
 * A source that gives the same frames each time it is started, such as a file: after a restart it
 * is read again up to where it was, and what has been seen is skipped.
 */
export class ReplayCapture extends Capture<ReplayOptions> {
  readonly #position: ReplayPosition;
  #receivedAtRestart = 0;

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
    return true;
  }

  protected override onEndOfStream() {
    if (!this.options.loop) return this.finish();
    // A new process per turn: gdppay passes no seek on.
    this.#position.rewind();
    this.timeline.restart();
    this.launch();
  }

  protected override onTrouble(trouble: Trouble) {
    // What a file fails on once, it fails on again.
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
