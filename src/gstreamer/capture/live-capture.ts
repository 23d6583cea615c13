import { Capture, type CaptureOptions, type Trouble } from './capture.ts';
import { inPause } from './replay-capture.ts';

export interface LiveOptions extends CaptureOptions {
  /** Keep trying at the start too, instead of failing when the source is not there yet. */
  readonly waitForSource?: boolean;
}

/** Restarts in a row before the first frame, unless the source is waited for. */
const crashesAtStart = 5;
/** Interval of repeated warnings while the same failure persists, milliseconds. */
const repeatEveryMs = 60_000;

/** A live source: frames of the time while it is disconnected are lost. */
export class LiveCapture extends Capture<LiveOptions> {
  protected override readonly pacedFrom = 0n;
  /** Pictures that this process could not decode. */
  #damaged = 0;
  /** Why the source is disconnected, and `clock.now()` when that was last logged. */
  #away: { why: string; reportedAt: number; readonly sinceMs: number } | undefined;

  protected override accepts(): boolean {
    if (this.#away) this.#onBack(this.#away.sinceMs);
    return true;
  }

  protected override newlyDamaged(total: number): number {
    const fresh = total - this.#damaged;
    this.#damaged = total;
    return fresh;
  }

  protected override onEndOfStream(_why: string) {
    this.finish();
  }

  protected override onTrouble(trouble: Trouble) {
    const waiting = this.received > 0 || this.options.waitForSource === true;
    if (trouble.reported && !waiting) return this.fail(trouble);
    const silentMs = this.silentMs;
    const pause = this.restart(trouble.why, waiting ? Infinity : crashesAtStart);
    if (pause === undefined) return this.fail(trouble);
    this.#report(trouble.why, pause, silentMs);
  }

  protected override beforeRestart() {
    this.timeline.restart();
    this.#damaged = 0;
  }

  #report(why: string, pause: number, silentMs: number) {
    const { clock, log } = this.context;
    const now = clock.now();
    this.#away ??= { why: '', reportedAt: 0, sinceMs: now - silentMs };
    if (this.#away.why === '') {
      this.context.reconnecting(clock.wall() - BigInt(Math.round(silentMs * 1e6)));
    }
    if (why === this.#away.why && now - this.#away.reportedAt < repeatEveryMs) return;
    log.warn(`${why}; restarting${inPause(pause)}`);
    this.#away.why = why;
    this.#away.reportedAt = now;
  }

  #onBack(sinceMs: number) {
    const { clock, log } = this.context;
    this.#away = undefined;
    this.context.reconnecting(undefined);
    log.info(`frames again after ${((clock.now() - sinceMs) / 1000).toFixed(1)} s`);
  }
}

/** A camera: a live source that has no end, so that the end of its stream is a failure. */
export class CameraCapture extends LiveCapture {
  protected override onEndOfStream(why: string) {
    this.onTrouble({ why, reported: true });
  }
}
