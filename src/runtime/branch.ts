import type { Observable, OperatorFunction, Subscription } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { type DepthlineError, located } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import type { OnError } from '../pipeline/pipeline.ts';
import { EndWatch } from './end-watch.ts';
import type { FrameObserver } from './frame-observer.ts';
import { FrameQueue } from './frame-queue.ts';
import type { LatencyRecorder } from './latency.ts';
import type { StageLedger } from './ledger.ts';
import type { RunOptions } from './run-handle.ts';
import { type SinkEnd, SinkWriter } from './sink-writer.ts';
import type { StageListener } from './stage-times.ts';
import { Tap } from './tap.ts';

export interface BranchParts {
  readonly name: string;
  readonly path: string;
  readonly sink: Sink;
  readonly context: ComponentContext;
  readonly queue: QueueOptions;
  readonly onError: OnError;
  /** The pipeline's gate, which this branch's queue holds when it is full and says `block`. */
  readonly gate: Gate;
  readonly clock: Clock;
  readonly queueLedger: StageLedger;
  readonly sinkLedger: StageLedger;
  readonly listener?: StageListener | undefined;
  readonly observer?: FrameObserver | undefined;
  readonly onFrame?: RunOptions['onFrame'] | undefined;
  /** How long operators may take to complete after their input; milliseconds. */
  patienceMs(stages: readonly StageLedger[]): number;
  /** Told whenever `wanted` changes. */
  onWanted(): void;
  /** The branch has failed, and the run with it. */
  onFailure(error: DepthlineError): void;
  /** The branch has ended of its own accord. */
  onEnded(end: BranchEnd): void;
}

/** How a branch ended of its own accord, before the run. */
export interface BranchEnd {
  /** What ends with it. */
  readonly ends: 'branch' | 'run';
  /** Why the sink was lost; nothing if its user closed it or its operators have completed. */
  readonly error?: DepthlineError;
}

/** Frames that may wait for the sink after operators made them of one frame; more are dropped. */
const mostOutputs = 10_000;

/**
 * One sink with what stands before it: queue → operators → sink. Frames leave the queue one at a
 * time, when the sink is ready for the next, so a slow sink holds up its own queue and nothing else.
 */
export class Branch {
  readonly name: string;
  /** Resolves when everything that will be delivered has been. Never rejects. */
  readonly finished: Promise<void>;
  /** Holds frames back in this branch's queue while an asynchronous operator of it is full. */
  readonly gate = new Gate();

  readonly #parts: BranchParts;
  readonly #queue: FrameQueue;
  readonly #input: Tap;
  readonly #writer: SinkWriter;
  /** What the operators made of a frame, filled only while it is empty; bounded by `mostOutputs`. */
  readonly #outputs: Frame[] = [];
  #finish!: () => void;
  #operators: readonly StageLedger[] = [];
  #chain: Subscription | undefined;
  #endWatch: EndWatch | undefined;
  #waiting = false;
  #pumping = false;
  #ending = false;
  #operatorsDone = false;
  #wanted = true;
  #over = false;

  constructor(parts: BranchParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#queue = new FrameQueue(parts.queue, {
      path: parts.path,
      clock: parts.clock,
      gate: parts.gate,
      dropped: (n, why) => parts.queueLedger.drop(n, why),
    });
    this.#input = new Tap(this.gate, 'operators (not subscribed)');
    this.#writer = new SinkWriter({
      path: parts.path,
      sink: parts.sink,
      context: parts.context,
      onError: parts.onError,
      clock: parts.clock,
      sinkLedger: parts.sinkLedger,
      listener: parts.listener,
      onDelivered: parts.observer && ((ageMs) => parts.observer?.delivered(parts.name, ageMs)),
      onSinkEnd: (end) => this.#onSinkEnd(end),
    });
    const forget = parts.context.onQueue((queue) => {
      this.#queue.adjust(queue);
      this.#report();
    });
    parts.context.defer(forget);
    const demand = parts.sink.wanted?.subscribe((wanted) => {
      this.#wanted = wanted;
      parts.onWanted();
    });
    parts.context.defer(() => demand?.unsubscribe());
  }

  get latency(): LatencyRecorder {
    return this.#writer.latency;
  }

  /** Capture-to-delivery age of the newest delivered frame, milliseconds. */
  get lastAgeMs(): number | undefined {
    return this.#writer.lastAgeMs;
  }

  /** False while the sink has no audience. */
  get wanted(): boolean {
    return this.#wanted && !this.#over;
  }

  /** True once no frame will be delivered any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Connects the branch's operators; to be called once, before the first frame. */
  connect(operators: readonly OperatorFunction<Frame, Frame>[], stages: readonly StageLedger[]) {
    this.#operators = stages;
    this.#input.open();
    const chain = operators.reduce<Observable<Frame>>(
      (stream, operator) => stream.pipe(operator),
      this.#input.frames,
    );
    this.#chain = chain.subscribe({
      next: (frame) => this.#onOutput(frame),
      error: (error) => this.#fail(located(error, 'OPERATOR', this.#parts.path)),
      complete: () => this.#onOperatorsDone(),
    });
  }

  push(frame: Frame): void {
    const { queueLedger } = this.#parts;
    queueLedger.entered++;
    if (this.#operatorsDone || this.#over) {
      queueLedger.drop(1, this.#operatorsDone ? 'operators ended' : 'branch ended');
      return;
    }
    if (!this.#wanted) {
      queueLedger.drop(1, 'no subscribers');
      return;
    }
    this.#queue.push(frame);
    this.#report();
    void this.#pump();
  }

  /** No more frames will come: delivers what waits, then finishes. */
  end(): void {
    if (this.#over) return;
    this.#ending = true;
    this.#writer.endRetries();
    const { clock, patienceMs } = this.#parts;
    this.#endWatch = new EndWatch({
      clock,
      patienceMs: () => patienceMs(this.#operators),
      progress: () => this.#progress(),
      onOverdue: () => this.#endOperators(),
    });
    void this.#pump();
  }

  /** Warns if nothing but operators keeps the branch from finishing. */
  reportOverdue(): void {
    if (!this.#ending || this.#over || this.#operatorsDone) return;
    if (this.#queue.length > 0 || this.#progress() === undefined) return;
    this.#parts.context.log.warn(overdue(this.#operators));
  }

  /** Gives up what has not been delivered, counted. */
  abort(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.onWanted();
    this.#queue.clear(why);
    this.#chain?.unsubscribe();
    this.#parts.sinkLedger.drop(this.#outputs.length, why);
    this.#outputs.length = 0;
    if (this.#writer.busy) void this.#abandonWrite(why);
    else if (!this.#pumping) this.#close();
    this.#report();
  }

  /** A write that never ends must not keep the run from ending. */
  async #abandonWrite(why: string): Promise<void> {
    await this.#writer.abandon(why);
    this.#report();
    this.#close();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#over) {
      const output = this.#outputs.shift();
      if (output) {
        const writing = this.#writer.write(output);
        this.#report();
        if (writing) await writing;
        continue;
      }
      if (!this.gate.open) {
        this.#resumeWhenOpen();
        break;
      }
      const frame = this.#queue.take();
      if (!frame) break;
      this.#parts.queueLedger.left++;
      this.#input.push(frame);
    }
    this.#pumping = false;
    this.#report();
    this.#settle();
  }

  #resumeWhenOpen(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    void this.gate.opened(this.#parts.context.signal).then(() => {
      this.#waiting = false;
      void this.#pump();
    });
  }

  #settle(): void {
    if (this.#over) {
      this.#close();
      return;
    }
    if (this.#outputs.length > 0) return;
    if (this.#operatorsDone) {
      this.#over = true;
      this.#close();
      this.#parts.onWanted();
      if (!this.#ending) this.#parts.onEnded({ ends: 'branch' });
    } else if (this.#ending && this.#queue.length === 0) {
      this.#input.complete();
    }
  }

  #close(): void {
    this.#endWatch?.stop();
    this.#finish();
  }

  #onOutput(frame: Frame): void {
    const { sinkLedger } = this.#parts;
    sinkLedger.entered++;
    this.#parts.onFrame?.(frame, this.name);
    if (this.#outputs.length >= mostOutputs) sinkLedger.drop(1, 'queue overrun');
    else this.#outputs.push(frame);
    this.#report();
    void this.#pump();
  }

  /** An operator such as take(5) may end the branch before its input does. */
  #onOperatorsDone(): void {
    this.#operatorsDone = true;
    this.#queue.clear('operators ended');
    this.#report();
    void this.#pump();
  }

  /** Operators that do not complete must not keep the run from ending. */
  #endOperators(): void {
    this.#parts.context.log.warn(overdue(this.#operators));
    this.#chain?.unsubscribe();
    this.#onOperatorsDone();
  }

  /** A number that changes with every frame; `undefined` while frames are known to be in flight. */
  #progress(): number | undefined {
    if (this.#writer.busy || this.#outputs.length > 0) return undefined;
    if (this.#operators.some(({ inFlight }) => inFlight > 0)) return undefined;
    return this.#parts.sinkLedger.entered + this.#parts.queueLedger.left;
  }

  #onSinkEnd(end: SinkEnd): void {
    const { log } = this.#parts.context;
    if (end.how === 'failed') {
      this.#fail(end.error);
      return;
    }
    const message = end.how === 'closed' ? end.message : end.error.message;
    if (end.how === 'closed') log.info(`${message}; this branch ends`);
    else log.warn(`${message}; this branch ends`);
    this.abort(end.how === 'closed' ? message : 'sink lost');
    this.#parts.onEnded(
      end.how === 'closed' ? { ends: end.ends } : { ends: 'branch', error: end.error },
    );
  }

  #fail(error: DepthlineError): void {
    if (this.#over) return;
    this.abort('branch failed');
    this.#parts.onFailure(error);
  }

  #report(): void {
    const { queueLedger, sinkLedger } = this.#parts;
    queueLedger.inFlight = this.#queue.length;
    queueLedger.queued = this.#queue.length;
    sinkLedger.inFlight = this.#outputs.length + (this.#writer.busy ? 1 : 0);
  }
}

/** Names the first operator that has not completed although its input has. */
export function overdue(operators: readonly StageLedger[]): string {
  const late = operators.find(({ inputEnded, ended }) => inputEnded && !ended) ?? operators[0];
  return `operator "${late?.name}" has not completed after its input; it was ended`;
}
