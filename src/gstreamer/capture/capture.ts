import { hrtime } from 'node:process';
import type { Subscriber } from 'rxjs';
import { isStale, type RawFrame, type StreamReader, wasLying } from '../../core/capture-stream.ts';
import type { ComponentContext } from '../../core/component-context.ts';
import { DepthlineError } from '../../core/errors.ts';
import type { Frame, FrameBase } from '../../core/frame.ts';
import { RestartBudget, type RestartOptions } from '../../core/restart-budget.ts';
import type { Size } from '../../core/size.ts';
import type { FrameGeometry } from '../../depth/fuse-geometry.ts';
import type { StreamForm } from '../../stream/form.ts';
import { explainEnd, explainFailure, isMissing, lastLine } from '../failures.ts';
import { lastPrinted } from '../printed.ts';
import { type CaptureEnd, CaptureProcess } from './capture-process.ts';
import type { Intake } from './intake.ts';
import { Timeline } from './timeline.ts';
import { Watchdog } from './watchdog.ts';

/** Position of a source when its launch line is started or restarted. */
export interface Position {
  /** Frames captured since the beginning, those lost included. */
  readonly captured: number;
  /** PTS of the newest frame of this pass through a file, nanoseconds; 0 at its start. */
  readonly pts: bigint;
}

export interface CaptureOptions {
  /** Name of the source in messages: `video "a.mp4"`. */
  readonly what: string;
  /** The complete launch line, for the first start and each restart; undefined when nothing is left. */
  launchLine(position: Position): string | undefined;
  readonly intake: Intake;
  readonly restart: RestartOptions;
  /** The process of the first start, if it is there already. */
  readonly prepared?: PreparedProcess | undefined;
  /** Reads the frames in this thread's place. */
  reader?(): StreamReader | undefined;
  /**
   * View and intrinsics of the pictures that come out of the launch line.
   *
   * @param source size of the source's picture, where the launch line reports it
   */
  geometry?(frame: Size, source: Size | undefined): FrameGeometry;
  /** What the frames are; default: RGB pictures. */
  readonly content?: Content | undefined;
}

/** What comes out of a launch line. */
export interface Content {
  readonly form: StreamForm;
  frame(raw: RawFrame, base: FrameBase): Frame;
}

/** A process that waits to be started. */
export interface PreparedProcess {
  /** The process, once: nothing for a launch line that is not its own, or after that. */
  take(launchLine: string): CaptureProcess | undefined;
}

/** Why a capture process has to be restarted. */
export interface Trouble {
  readonly why: string;
  /** GStreamer itself reported a failure, rather than that the process crashed or stalled. */
  readonly reported: boolean;
}

/**
 * Frames of a launch line that runs in a capture process: requests them as the gate allows, places
 * them on the timeline, and restarts the process when it crashes, fails or stalls. Subclasses define
 * what a restart and the end of the stream mean.
 */
export abstract class Capture<Options extends CaptureOptions = CaptureOptions> {
  protected readonly options: Options;
  protected readonly context: ComponentContext;
  protected readonly timeline: Timeline;
  protected readonly budget: RestartBudget;
  /** Frames received from all processes. */
  protected received = 0;
  /** Resolves when every process that was started is gone. */
  readonly over: Promise<void>;
  readonly #subscriber: Subscriber<Frame>;
  readonly #stopped = new AbortController();
  readonly #watchdog: Watchdog;
  readonly #reader: StreamReader | undefined;
  #resolveOver: () => void = () => {};
  #process: CaptureProcess | undefined;
  /** The process before, whose frames may still wait here. */
  #last: CaptureProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #arrived: RawFrame[] = [];
  #asked = 0;
  /** When the first frame of this process was asked for, monotonic nanoseconds. */
  #firstAskedAt = 0n;
  #waitingForGate = false;
  #inputDone = false;
  #frameMs = 0;
  #captured = 0;
  #damagedTold = false;
  /** `clock.now()` of the first frame of this process, undefined before it. */
  #flowingSince: number | undefined;
  #lastFrameAt: number;
  /** `lastFrameAt`, later by the time for which no frame was asked for. */
  #silentFrom: number;
  /** Since when the gate has been closed. */
  #heldAt: number | undefined;
  #cancelRestart: () => void = () => {};

  constructor(options: Options, context: ComponentContext, subscriber: Subscriber<Frame>) {
    this.options = options;
    this.context = context;
    this.#subscriber = subscriber;
    this.timeline = new Timeline(options.intake.losses);
    this.budget = new RestartBudget(options.restart);
    this.#reader = options.reader?.();
    this.#lastFrameAt = context.clock.now();
    this.#silentFrom = this.#lastFrameAt;
    this.#watchdog = new Watchdog({
      clock: context.clock,
      patienceMs: () => this.#patienceMs,
      waitingSince: () => this.#waitingSince,
      onStall: () => this.#onStall(),
    });
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  /** PTS up to which the launch line need not be paced. */
  protected abstract readonly pacedFrom: bigint;
  /** False for a frame that was delivered before. */
  protected abstract accepts(frame: RawFrame): boolean;
  /** Of the pictures that this process could not decode, those not counted yet. */
  protected abstract newlyDamaged(total: number): number;
  /** The stream came to its end, after at least one frame; `why` is for a source that has no end. */
  protected abstract onEndOfStream(why: string): void;
  /** The process is gone: calls `restart` or `fail`. */
  protected abstract onTrouble(trouble: Trouble): void;
  /** Called before the launch line is restarted. */
  protected abstract beforeRestart(): void;

  start() {
    const { signal } = this.context;
    if (signal.aborted) return this.#complete();
    const onAbort = () => this.#complete();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stopped.signal.addEventListener('abort', () =>
      signal.removeEventListener('abort', onAbort),
    );
    this.launch();
  }

  stop() {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    this.#watchdog.stop();
    this.#cancelRestart();
    this.#arrived = [];
    this.#process?.stop(this.options.intake.stop);
    this.#gone.then(this.#resolveOver);
  }

  protected launch() {
    if (this.#over) return;
    this.#asked = 0;
    this.#firstAskedAt = 0n;
    this.#flowingSince = undefined;
    const line = this.options.launchLine({ captured: this.#captured, pts: this.pacedFrom });
    if (line === undefined) return this.finish();
    const process = this.options.prepared?.take(line) ?? new CaptureProcess(line);
    this.#process = process;
    const before = this.#gone;
    // In a chain of Promise.all, what each resolves to would hold that of all before.
    this.#gone = process.gone.then(() => before);
    const handlers = {
      onFrame: (frame: RawFrame) => this.#onFrame(frame),
      onDamaged: (total: number) => this.#onDamaged(total),
      onEnd: (end: CaptureEnd) => {
        if (process === this.#process) this.#onEnd(end);
      },
    };
    this.timeline.resume();
    process.start(handlers, this.#reader, this.options.content?.form);
    this.#pump();
  }

  /** Completes after the frames that have arrived. */
  protected finish() {
    this.#inputDone = true;
    this.#pump();
  }

  protected fail({ why }: Pick<Trouble, 'why'>, code: 'MISSING' | 'SOURCE' = 'SOURCE') {
    const { inRow } = this.budget;
    const tried = inRow === 0 ? '' : ` (after ${inRow} ${inRow === 1 ? 'restart' : 'restarts'})`;
    this.stop();
    this.#subscriber.error(new DepthlineError(code, `${why}${tried}`, { at: this.context.path }));
  }

  /**
   * Restarts the launch line after the pause that the budget grants.
   *
   * @returns the pause, milliseconds; undefined if the budget is spent and nothing was done
   */
  protected restart(why: string, defaultLimit: number): number | undefined {
    const { clock } = this.context;
    const flowed = this.#flowingSince === undefined ? 0 : this.#lastFrameAt - this.#flowingSince;
    const pause = this.budget.next(flowed, this.silentMs, defaultLimit);
    if (pause === undefined) return undefined;
    this.context.restarted(why);
    this.#cancelRestart = clock.after(pause, () => {
      if (this.#over) return;
      this.beforeRestart();
      this.launch();
    });
    return pause;
  }

  /** Time since the last frame, or since the start, without that for which none was asked for; ms. */
  protected get silentMs(): number {
    return (this.#heldAt ?? this.context.clock.now()) - this.#silentFrom;
  }

  get #over(): boolean {
    return this.#stopped.signal.aborted;
  }

  #onFrame(frame: RawFrame) {
    this.#asked--;
    this.#lastFrameAt = this.context.clock.now();
    this.#silentFrom = this.#lastFrameAt;
    if (this.#heldAt !== undefined) this.#heldAt = this.#lastFrameAt;
    if (this.#flowingSince === undefined) {
      this.#flowingSince = this.#lastFrameAt;
      // The first frame may take longer than the others; from now on the shorter limit applies.
      this.#watchdog.stop();
    }
    if (this.#isStale(frame, frame.arrivedAt)) {
      // It is not placed on the timeline, so it shows as a gap and is counted as lost.
    } else if (this.accepts(frame)) {
      this.received++;
      this.#frameMs = Number(frame.caps.interval ?? 0n) / 1e6;
      this.#arrived.push(frame);
    }
    this.#pump();
  }

  #onDamaged(total: number) {
    const fresh = this.newlyDamaged(total);
    if (fresh <= 0) return;
    this.context.dropped(fresh, 'damaged');
    this.timeline.explain(fresh);
    if (this.#damagedTold) return;
    this.#damagedTold = true;
    this.context.log.warn(
      `${this.options.what} has damaged pictures, which are skipped and counted as dropped`,
    );
  }

  /** Emits what has arrived and requests more, both only while the gate is open. */
  #pump() {
    const { gate } = this.context;
    while (!this.#over && gate.open && this.#arrived.length > 0) {
      this.#emit(this.#arrived.shift() as RawFrame);
    }
    if (this.#over) return;
    if (this.#inputDone && this.#arrived.length === 0) return this.#complete();
    if (!gate.open) return this.#waitForGate();
    // During a restart there is no process to ask.
    const process = this.#inputDone ? undefined : this.#process;
    const missing = this.#window - this.#asked - this.#arrived.length;
    if (process && missing > 0) this.#ask(process, missing);
  }

  #waitForGate() {
    if (this.#waitingForGate) return;
    this.#waitingForGate = true;
    const { clock, gate } = this.context;
    this.#heldAt = clock.now();
    gate.opened(this.#stopped.signal).then(() => {
      this.#waitingForGate = false;
      this.#silentFrom += clock.now() - (this.#heldAt as number);
      this.#heldAt = undefined;
      this.#discardStale();
      this.#pump();
    });
  }

  #discardStale() {
    if (this.#inputDone) return;
    const now = process.hrtime.bigint();
    this.#arrived = this.#arrived.filter((frame) => !this.#isStale(frame, now));
  }

  /** True for a frame that waited so long that a live source has a newer one. */
  #isStale(frame: RawFrame, now: bigint): boolean {
    const { freshness } = this.timeline;
    if (freshness) return frame.pts !== undefined && isStale(frame.pts, now, freshness);
    const since = this.#liveSince;
    return since !== undefined && wasLying(frame, this.#firstAskedAt, since, frame.caps.interval);
  }

  /** What PTS of this process count from, if the source is live. */
  get #liveSince(): bigint | undefined {
    return this.options.intake.fromStart ? this.#process?.runningSince : undefined;
  }

  #ask(process: CaptureProcess, frames: number) {
    if (this.#firstAskedAt === 0n) this.#firstAskedAt = hrtime.bigint();
    const since = this.#liveSince;
    if (since !== undefined) process.stream?.liveSince(since);
    this.#asked += frames;
    process.stream?.ask(frames);
    this.#watchdog.watch();
  }

  /** Frames that are requested or wait here at once. */
  get #window(): number {
    const { window } = this.options.intake;
    return this.#reader ? window * this.#reader.workers : window;
  }

  /** Since when a frame is awaited, by the context's clock. */
  get #waitingSince(): number | undefined {
    const since = this.#process?.stream?.waitingSince;
    if (since === undefined) return undefined;
    return this.context.clock.now() - Number(process.hrtime.bigint() - since) / 1e6;
  }

  #emit(raw: RawFrame) {
    const { caps } = raw;
    const { sourceSize, runningSince, stream } = this.#process ?? this.#last ?? {};
    const { intake } = this.options;
    const since = intake.fromStart ? runningSince : undefined;
    const { seq, pts, capturedAt, lost } = this.timeline.place(raw, since);
    const { freshness } = this.timeline;
    if (freshness) stream?.freshness(freshness);
    const now = process.hrtime.bigint();
    // A frame that was read elsewhere has been worked on since then.
    const ageNs = this.#reader ? now - capturedAt : intake.age(capturedAt, now);
    if (lost > 0) this.context.dropped(lost, 'at capture');
    this.#captured = seq + 1;
    const base: FrameBase = {
      seq,
      pts,
      capturedAt: this.context.clock.wall() - ageNs,
      source: this.context.name,
      ...this.options.geometry?.(caps, sourceSize),
    };
    this.#subscriber.next(this.options.content?.frame(raw, base) ?? picture(raw, base));
  }

  get #patienceMs(): number {
    const { restart } = this.options;
    if (this.#flowingSince === undefined) return restart['first-frame-within'];
    return Math.max(restart['stalled-after'], 3 * this.#frameMs);
  }

  #onStall() {
    const patience = Math.round(this.#patienceMs);
    const { stderr } = this.#process as CaptureProcess;
    this.#process?.stop('at once');
    if (this.received > 0) {
      return this.#onEnd({ kind: 'crashed', how: `stalled: no frame for ${patience} ms`, stderr });
    }
    const failure = { phase: 'run', message: `no frame within ${patience} ms` } as const;
    this.#onEnd({ kind: 'failed', failure, stderr });
  }

  #onEnd(end: CaptureEnd) {
    if (this.#over || !this.#process) return;
    const { stderr, printed } = this.#process;
    this.#last = this.#process;
    this.#process = undefined;
    this.#asked = 0;
    const { what } = this.options;
    if (end.kind === 'crashed') {
      const why = `capture process ${end.how}${lastLine(end.stderr)}${lastPrinted(printed)}`;
      return this.onTrouble({ why, reported: false });
    }
    if (end.kind === 'failed') {
      const why = explainFailure(what, end.failure, end.stderr, printed);
      // A launch line that does not parse never will.
      if (isMissing(end.failure)) return this.fail({ why }, 'MISSING');
      if (end.failure.phase === 'parse') return this.fail({ why });
      return this.onTrouble({ why, reported: true });
    }
    if (this.received > 0) return this.onEndOfStream(explainEnd(what, 'ended', stderr, printed));
    const why = explainEnd(what, 'ended without a single frame', stderr, printed);
    this.onTrouble({ why, reported: true });
  }

  #complete() {
    this.stop();
    this.#subscriber.complete();
  }
}

function picture({ caps: { width, height }, data }: RawFrame, base: FrameBase): Frame {
  return { ...base, kind: 'image', width, height, format: 'rgb', data };
}
