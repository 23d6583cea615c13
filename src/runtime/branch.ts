import { type Observable, type OperatorFunction, Subject, type Subscription } from 'rxjs';
import { ageMs, type Clock, sleep } from '../core/clock.ts';
import type { ComponentContext, Sink } from '../core/component.ts';
import { type DepthlineError, located, reason } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { SinkClosed } from '../core/sink-closed.ts';
import { SinkLost } from '../core/sink-lost.ts';
import type { OnError } from '../pipeline/pipeline.ts';
import { FrameQueue } from './frame-queue.ts';
import { LatencyRecorder } from './latency.ts';
import type { StageLedger } from './ledger.ts';
import type { StageListener } from './stage-times.ts';

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
  /** Why the sink was lost; nothing if its user closed it. */
  readonly error?: DepthlineError;
}

const retryFirstMs = 100;
const retryLongestMs = 2000;
/** How long an aborted branch waits for the write that is under way. */
const lastWriteMs = 300;

/**
 * One sink with what stands before it: queue → operators → sink. Frames leave the queue one at a
 * time, when the sink is ready for the next, so a slow sink is felt by its queue and nowhere else.
 */
export class Branch {
  readonly name: string;
  readonly latency = new LatencyRecorder();
  /** Resolves when everything that will be delivered has been. Never rejects. */
  readonly finished: Promise<void>;
  /** Holds frames back in this branch's queue while an asynchronous operator of it is full. */
  readonly gate = new Gate();
  /** Capture-to-delivery age of the newest delivered frame, milliseconds. */
  lastAgeMs: number | undefined;

  readonly #parts: BranchParts;
  readonly #queue: FrameQueue;
  readonly #input = new Subject<Frame>();
  /** What the operators made of one frame; filled only while it is empty. */
  readonly #outputs: Frame[] = [];
  #finish!: () => void;
  #chain: Subscription | undefined;
  #writing = false;
  #waiting = false;
  #pumping = false;
  #ending = false;
  #operatorsDone = false;
  #wanted = true;
  #over = false;
  #overBecause = 'stopped';

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
    const demand = parts.sink.wanted?.subscribe((wanted) => {
      this.#wanted = wanted;
      parts.onWanted();
    });
    parts.context.defer(() => demand?.unsubscribe());
  }

  /** False while nobody would see what the sink is given. */
  get wanted(): boolean {
    return this.#wanted && !this.#over;
  }

  /** Connects the branch's operators; to be called once, before the first frame. */
  connect(operators: readonly OperatorFunction<Frame, Frame>[]): void {
    const chain = operators.reduce<Observable<Frame>>(
      (stream, operator) => stream.pipe(operator),
      this.#input,
    );
    this.#chain = chain.subscribe({
      next: (frame) => {
        this.#parts.sinkLedger.entered++;
        this.#outputs.push(frame);
        void this.#pump();
      },
      error: (error) => this.#fail(located(error, 'OPERATOR', this.#parts.path)),
      complete: () => {
        this.#operatorsDone = true;
        // An operator such as take(5) may end the branch before its input does.
        this.#queue.clear('operators ended');
        this.#reportWaiting();
        void this.#pump();
      },
    });
  }

  /** True once no frame will be delivered any more. */
  get over(): boolean {
    return this.#over;
  }

  push(frame: Frame): void {
    this.#parts.queueLedger.entered++;
    if (this.#over || this.#operatorsDone) {
      this.#parts.queueLedger.drop(1, this.#over ? 'branch ended' : 'operators ended');
      return;
    }
    if (!this.#wanted) {
      this.#parts.queueLedger.drop(1, 'nobody listens');
      return;
    }
    this.#queue.push(frame);
    this.#reportWaiting();
    void this.#pump();
  }

  /** No more frames will come: delivers what waits, then finishes. */
  end(): void {
    this.#ending = true;
    void this.#pump();
  }

  /** Gives up what has not been delivered, counted. */
  abort(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#overBecause = why;
    this.#parts.onWanted();
    this.#queue.clear(why);
    this.#reportWaiting();
    this.#chain?.unsubscribe();
    this.#parts.sinkLedger.drop(this.#outputs.length, why);
    this.#outputs.length = 0;
    if (this.#writing) void this.#abandonWrite(why);
    else if (!this.#pumping) this.#finish();
  }

  /** A write that never ends must not keep the run from ending. */
  async #abandonWrite(why: string): Promise<void> {
    await sleep(this.#parts.clock, lastWriteMs);
    if (!this.#writing) return;
    this.#writing = false;
    this.#parts.sinkLedger.drop(1, why);
    this.#finish();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (!this.#over) {
      const output = this.#outputs.shift();
      if (output) {
        const writing = this.#deliver(output);
        if (writing) await writing;
        continue;
      }
      if (!this.gate.open) {
        this.#resumeWhenOpen();
        break;
      }
      const frame = this.#queue.take();
      this.#reportWaiting();
      if (!frame) break;
      this.#parts.queueLedger.left++;
      this.#input.next(frame);
    }
    this.#pumping = false;
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
      this.#finish();
      return;
    }
    if (!this.#ending || this.#queue.length > 0 || this.#outputs.length > 0) return;
    if (this.#operatorsDone) this.#finish();
    else this.#input.complete();
  }

  #deliver(frame: Frame): Promise<void> | undefined {
    try {
      const written = this.#write(frame);
      if (!written) {
        this.#delivered(frame);
        return undefined;
      }
      this.#writing = true;
      return written
        .then(
          () => this.#writing && this.#delivered(frame),
          (error: unknown) => (this.#writing ? this.#writeFailed(frame, error) : undefined),
        )
        .then(() => {
          this.#writing = false;
        });
    } catch (error) {
      return this.#writeFailed(frame, error);
    }
  }

  #write(frame: Frame): void | Promise<void> {
    const { sink, sinkLedger, listener } = this.#parts;
    if (!listener) return sink.write(frame);
    listener.enter(sinkLedger.name);
    try {
      return sink.write(frame);
    } finally {
      listener.leave();
    }
  }

  #delivered(frame: Frame): void {
    this.#parts.sinkLedger.left++;
    this.lastAgeMs = ageMs(this.#parts.clock, frame);
    this.latency.record(this.lastAgeMs);
  }

  async #writeFailed(frame: Frame, error: unknown): Promise<void> {
    const { onError, sinkLedger, context, path } = this.#parts;
    if (error instanceof SinkClosed) return this.#closed(error);
    if (error instanceof SinkLost && onError !== 'fail') return this.#lost(error);
    if (onError === 'retry' && (await this.#retry(frame, error))) return;
    if (this.#over) {
      // A sink that gives up a write because the run stops has not failed.
      sinkLedger.drop(1, this.#overBecause);
      return;
    }
    sinkLedger.failed++;
    if (onError === 'fail') this.#fail(located(error, 'SINK', path));
    else context.log.warn(`frame ${frame.seq} was not written: ${reason(error)}`);
  }

  /** The sink's user has closed it. */
  #closed({ message, ends }: SinkClosed): void {
    const { sinkLedger, context } = this.#parts;
    sinkLedger.drop(1, message);
    context.log.info(`${message}; this branch ends`);
    this.abort(message);
    this.#parts.onEnded({ ends });
  }

  /** The sink cannot write any more: its frame has failed, and other branches go on. */
  #lost(error: SinkLost): void {
    const { sinkLedger, context, path } = this.#parts;
    sinkLedger.failed++;
    context.log.warn(`${error.message}; this branch ends`);
    this.abort('sink lost');
    this.#parts.onEnded({ ends: 'branch', error: located(error, 'SINK', path) });
  }

  /** True if the frame is accounted for; false if the run ended before it was delivered. */
  async #retry(frame: Frame, error: unknown): Promise<boolean> {
    const { clock, context, sink } = this.#parts;
    let pause = retryFirstMs;
    context.log.warn(`frame ${frame.seq} was not written, trying again: ${reason(error)}`);
    while (!this.#over && !this.#ending && !context.signal.aborted) {
      await sleep(clock, pause, context.signal);
      pause = Math.min(retryLongestMs, pause * 2);
      try {
        await sink.write(frame);
        this.#delivered(frame);
        return true;
      } catch (again) {
        // Any other reason was reported above; the next attempt follows.
        if (again instanceof SinkClosed) this.#closed(again);
        else if (again instanceof SinkLost) this.#lost(again);
        else continue;
        return true;
      }
    }
    return false;
  }

  #fail(error: DepthlineError): void {
    if (this.#over) return;
    this.abort('branch failed');
    this.#parts.onFailure(error);
  }

  #reportWaiting(): void {
    this.#parts.queueLedger.inFlight = this.#queue.length;
  }
}
