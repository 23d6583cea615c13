import { Observable, type Subscriber } from 'rxjs';
import type { ComponentContext } from '../../core/component.ts';
import { DepthlineError } from '../../core/errors.ts';
import type { Frame, Intrinsics } from '../../core/frame.ts';
import { explainFailure, isMissing, lastLine } from '../failures.ts';
import { type HostEnd, HostProcess } from './capture-process.ts';
import type { RawFrame } from './frame-reader.ts';
import { RestartBudget, type RestartOptions } from './restart-budget.ts';
import { Timeline } from './timeline.ts';
import { Watchdog } from './watchdog.ts';

/** Where a source is when its launch line is started (again). */
export interface Position {
  /** Frames captured since the beginning, those lost included. */
  readonly captured: number;
  /** PTS of the newest frame of this turn of a file, nanoseconds; 0 at its beginning. */
  readonly pts: bigint;
}

export interface CaptureOptions {
  /** What the source is called in messages: `video "a.mp4"`. */
  readonly what: string;
  /** The complete launch line, for the first start and for each restart. */
  launchLine(position: Position): string;
  /** A camera: newest frame wins, nothing is fetched ahead. */
  readonly live: boolean;
  /** See Timeline. Default true. */
  readonly steady?: boolean;
  /** A camera does not end: the end of its stream is a failure. */
  readonly endless?: boolean;
  /** Begin again at the end of the stream. */
  readonly loop?: boolean;
  /** Each run gives the same frames: after a crash those that have been seen are skipped. */
  readonly repeatable?: boolean;
  readonly restart: RestartOptions;
  /** How many frames a live source makes, if that is known. */
  readonly frames?: number;
  /** Intrinsics for the pictures that come out of the launch line. */
  intrinsics?(width: number, height: number): Intrinsics | undefined;
}

/**
 * Frames of a launch line that runs in a capture host. Subscribing starts the host, unsubscribing
 * ends it; a host that crashes, fails or stalls is started again.
 */
export function capture(options: CaptureOptions, context: ComponentContext): Observable<Frame> {
  const ended = new Set<Promise<void>>();
  context.defer(async () => {
    await Promise.all(ended);
  });
  return new Observable((subscriber) => {
    const run = new Capture(options, context, subscriber);
    const over = run.over.then(() => {
      ended.delete(over);
    });
    ended.add(over);
    run.start();
    return () => run.stop();
  });
}

/** Frames under way for a source that waits: one that is worked on and one that is fetched. */
const fetchAhead = 2;

class Capture {
  readonly #options: CaptureOptions;
  readonly #context: ComponentContext;
  readonly #subscriber: Subscriber<Frame>;
  readonly #timeline: Timeline;
  readonly #budget: RestartBudget;
  readonly #stopped = new AbortController();
  /** Resolves when every process that was started is gone. */
  readonly over: Promise<void>;
  #resolveOver: () => void = () => {};
  #host: HostProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #fromThisHost = 0;
  #arrived: RawFrame[] = [];
  #asked = 0;
  #askedSince = 0;
  #waitingForGate = false;
  #inputDone = false;
  #received = 0;
  #frameMs = 0;
  #captured = 0;
  #receivedAtRestart = 0;
  /** Position in the file: the newest PTS and the frames since its beginning. */
  #position: { pts: bigint | undefined; frames: number } = { pts: undefined, frames: 0 };
  #skip: { pts: bigint | undefined; frames: number } | undefined;
  readonly #watchdog: Watchdog;
  #cancelRestart: () => void = () => {};

  constructor(options: CaptureOptions, context: ComponentContext, subscriber: Subscriber<Frame>) {
    this.#options = options;
    this.#context = context;
    this.#subscriber = subscriber;
    this.#timeline = new Timeline({ live: options.live, steady: options.steady ?? true });
    this.#budget = new RestartBudget(options.restart);
    this.#watchdog = new Watchdog({
      clock: context.clock,
      patienceMs: () => this.#patienceMs,
      waitingSince: () => (this.#asked > 0 ? this.#askedSince : undefined),
      onStall: () => this.#onStall(),
    });
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  start() {
    const { signal } = this.#context;
    if (signal.aborted) return this.#complete();
    const onAbort = () => this.#complete();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stopped.signal.addEventListener('abort', () =>
      signal.removeEventListener('abort', onAbort),
    );
    this.#launch();
  }

  stop() {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort();
    this.#watchdog.stop();
    this.#cancelRestart();
    this.#arrived = [];
    this.#host?.stop(this.#options.live ? 'in order' : 'at once');
    this.#gone.then(this.#resolveOver);
  }

  get #over(): boolean {
    return this.#stopped.signal.aborted;
  }

  #launch() {
    this.#asked = 0;
    this.#fromThisHost = 0;
    this.#host = new HostProcess({
      launchLine: this.#options.launchLine({
        captured: this.#captured,
        pts: this.#skip?.pts ?? 0n,
      }),
      onFrame: (frame) => this.#onFrame(frame),
      onEnd: (end) => this.#onEnd(end),
    });
    this.#gone = Promise.all([this.#gone, this.#host.gone]);
    this.#pump();
  }

  #onFrame(frame: RawFrame) {
    this.#asked--;
    this.#askedSince = this.#context.clock.now();
    // The first frame may take longer than the others: from now on be less patient.
    if (this.#fromThisHost++ === 0) this.#watchdog.stop();
    if (!this.#seenBefore(frame)) {
      this.#received++;
      this.#frameMs = Number(frame.caps.interval ?? 0n) / 1e6;
      this.#advance(frame);
      this.#arrived.push(frame);
    }
    this.#pump();
  }

  #advance(frame: RawFrame) {
    const { pts, frames } = this.#position;
    this.#position = { pts: frame.pts ?? pts, frames: frames + 1 };
  }

  /** After a restart a file is read again up to where it was. */
  #seenBefore(frame: RawFrame): boolean {
    const skip = this.#skip;
    if (!skip) return false;
    if (skip.pts !== undefined && frame.pts !== undefined) {
      if (frame.pts <= skip.pts) return true;
    } else if (skip.frames > 0) {
      skip.frames--;
      return true;
    }
    this.#skip = undefined;
    return false;
  }

  /** Hands on what has arrived and asks for more, both only while the gate is open. */
  #pump() {
    const { gate } = this.#context;
    while (!this.#over && gate.open && this.#arrived.length > 0) {
      this.#emit(this.#arrived.shift() as RawFrame);
    }
    if (this.#over) return;
    if (this.#inputDone && this.#arrived.length === 0) return this.#complete();
    if (!gate.open) return this.#waitForGate();
    const window = this.#options.live ? 1 : fetchAhead;
    // While it is being started again there is nobody to ask.
    const host = this.#inputDone ? undefined : this.#host;
    const missing = window - this.#asked - this.#arrived.length;
    if (host && missing > 0) this.#ask(host, missing);
  }

  #waitForGate() {
    if (this.#waitingForGate) return;
    this.#waitingForGate = true;
    this.#context.gate.opened(this.#stopped.signal).then(() => {
      this.#waitingForGate = false;
      this.#discardStale();
      this.#pump();
    });
  }

  /** A camera has a newer picture than one that waited here for the gate. */
  #discardStale() {
    const frame = this.#arrived[0];
    if (!this.#options.live || !frame || this.#inputDone) return;
    const waited = process.hrtime.bigint() - frame.arrivedAt;
    // Never placed on the timeline, it shows as a gap there and is counted as lost.
    if (waited > (frame.caps.interval ?? 33_000_000n)) this.#arrived = [];
  }

  #ask(host: HostProcess, frames: number) {
    if (this.#asked === 0) this.#askedSince = this.#context.clock.now();
    this.#asked += frames;
    host.ask(frames);
    this.#watchdog.watch();
  }

  #emit(raw: RawFrame) {
    const { caps, data } = raw;
    const { seq, pts, capturedAt, lost } = this.#timeline.place(raw);
    // A file's frame is as old as its way through the pipeline, however long it waited for it.
    const ageNs = this.#options.live ? process.hrtime.bigint() - capturedAt : 0n;
    if (lost > 0) this.#context.dropped(lost, 'at capture');
    this.#captured = seq + 1;
    const intrinsics = this.#options.intrinsics?.(caps.width, caps.height);
    this.#subscriber.next({
      kind: 'image',
      seq,
      pts,
      capturedAt: this.#context.clock.wall() - ageNs,
      source: this.#context.name,
      width: caps.width,
      height: caps.height,
      format: 'rgb',
      data,
      ...(intrinsics && { intrinsics }),
    });
  }

  get #patienceMs(): number {
    const { restart } = this.#options;
    if (this.#fromThisHost === 0) return restart['first-frame-within'];
    return Math.max(restart['stalled-after'], 3 * this.#frameMs);
  }

  #onStall() {
    const how = `stalled: no frame for ${Math.round(this.#patienceMs)} ms`;
    const { stderr } = this.#host as HostProcess;
    this.#host?.stop('at once');
    if (this.#received > 0) return this.#onEnd({ kind: 'crashed', how, stderr });
    const message = `no frame within ${this.#patienceMs} ms`;
    this.#onEnd({ kind: 'failed', failure: { phase: 'run', message }, stderr });
  }

  #onEnd(end: HostEnd) {
    if (this.#over) return;
    this.#host = undefined;
    this.#asked = 0;
    if (end.kind === 'ended') return this.#onEndOfStream();
    if (end.kind === 'failed' && this.#received === 0) {
      const code = isMissing(end.failure) ? 'MISSING' : 'SOURCE';
      return this.#fail(explainFailure(this.#options.what, end.failure, end.stderr), code);
    }
    this.#restart(
      end.kind === 'crashed'
        ? `capture process ${end.how}${lastLine(end.stderr)}`
        : explainFailure(this.#options.what, end.failure, end.stderr),
      end.kind === 'failed',
    );
  }

  #onEndOfStream() {
    if (this.#received === 0) {
      return this.#fail(`${this.#options.what} ended without a single frame`);
    }
    if (this.#options.endless) return this.#restart(`${this.#options.what} ended`);
    if (!this.#options.loop) {
      this.#inputDone = true;
      this.#pump();
      return;
    }
    // A new process per turn: gdppay passes no seek on.
    this.#skip = undefined;
    this.#position = { pts: undefined, frames: 0 };
    this.#timeline.restart();
    this.#launch();
  }

  #restart(why: string, failed = false) {
    const context = this.#context;
    const budget = this.#budget;
    const noProgress = budget.inRow > 0 && this.#received === this.#receivedAtRestart;
    const hopeless = !this.#options.live && failed && noProgress;
    const delay = hopeless ? undefined : budget.next(context.clock.now());
    if (delay === undefined) {
      const tried = budget.inRow === 0 ? '' : ` (after ${budget.inRow} restarts)`;
      return this.#fail(`${why}${tried}`);
    }
    this.#receivedAtRestart = this.#received;
    context.restarted(why);
    context.log.warn(`${why}; starting it again${delay > 0 ? ` in ${delay} ms` : ''}`);
    this.#cancelRestart = context.clock.after(delay, () => this.#resume());
  }

  #resume() {
    if (this.#over) return;
    const { live, repeatable, frames } = this.#options;
    if (live && frames !== undefined && this.#captured >= frames) {
      this.#inputDone = true;
      return this.#pump();
    }
    if (live) this.#timeline.restart();
    if (repeatable) this.#skip = { ...this.#position };
    this.#launch();
  }

  #complete() {
    if (this.#inputDone) this.#countUnseen();
    this.stop();
    this.#subscriber.complete();
  }

  /** Frames that a live source made at its end, behind the last one that was fetched. */
  #countUnseen() {
    const { live, frames } = this.#options;
    const unseen = live && frames !== undefined ? frames - this.#captured : 0;
    if (unseen > 0) this.#context.dropped(unseen, 'at capture');
  }

  #fail(message: string, code: 'MISSING' | 'SOURCE' = 'SOURCE') {
    this.stop();
    this.#subscriber.error(new DepthlineError(code, message, { at: this.#context.path }));
  }
}
