import { Observable, type OperatorFunction } from 'rxjs';
import { type AsyncContext, asyncOperator } from '../core/async-operator.ts';
import { systemClock } from '../core/clock.ts';
import { reason } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import { LimitedMessages } from '../core/limited-messages.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { FrameQueue } from './frame-queue.ts';
import type { Turns } from './turns.ts';

/** How `mapAsync` works on frames. */
export interface MapAsyncOptions {
  /** Frames worked on at the same time; a function chooses by the queue. Default 1. */
  readonly concurrency?: number | ((queue: QueueOptions) => number);
  /** Results leave in the order in which frames came. Default true. */
  readonly ordered?: boolean;
  /**
   * `fail` ends the pipeline when the function rejects, `skip` counts the frame as failed. A
   * function chooses by the error. Default `fail`.
   */
  readonly onError?: 'fail' | 'skip' | ((error: unknown) => 'fail' | 'skip');
  /** The queue in front; default: what the pipeline says, else limit 1, `block`. */
  readonly queue?: QueueOptions;
  /**
   * Shared by several of these, such as those of the cameras of a run: together they work on `concurrency`
   * frames, or calls of several frames, at the same time, in turn, and a frame waits in its queue until it is its
   * turn.
   */
  readonly turns?: Turns;
  /** Given by a component's `create`; a pipeline composed in code fills it in by itself. */
  readonly context?: AsyncContext;
}

/**
 * The operator for slow work: `mapAsync(async (frame) => …, { concurrency: 2 })`.
 *
 * Frames wait in a bounded queue in front of it, a full `block` queue closes the pipeline's gate,
 * and each frame is accounted for: the function's result is passed on, `undefined` drops the
 * frame, a rejection ends the pipeline or counts as failed. Outside a pipeline (a plain `pipe`)
 * there is no gate, and the default queue drops the oldest frame.
 */
export function mapAsync(
  work: (frame: Frame, signal: AbortSignal) => Promise<Frame | undefined>,
  options: MapAsyncOptions = {},
): OperatorFunction<Frame, Frame> {
  const bound = (context: AsyncContext) => (input: Observable<Frame>) =>
    run(input, work, options, context);
  return asyncOperator((input) => bound(options.context ?? standalone())(input), bound);
}

interface Slot {
  done: boolean;
  result?: Frame | undefined;
}

function run(
  input: Observable<Frame>,
  work: (frame: Frame, signal: AbortSignal) => Promise<Frame | undefined>,
  options: MapAsyncOptions,
  context: AsyncContext,
): Observable<Frame> {
  const { concurrency = 1 } = options;
  const most = typeof concurrency === 'function' ? concurrency : () => concurrency;
  const ordered = options.ordered ?? true;
  return new Observable((subscriber) => {
    const queueOptions = options.queue ?? context.queue;
    const queue = new FrameQueue(queueOptions, context);
    const warnings = new LimitedMessages(context.clock, (message) => context.log.warn(message));
    let workers = most(queueOptions);
    const slots: Slot[] = [];
    let running = 0;
    let inputDone = false;
    let over = false;
    const turn = options.turns?.join(() => pump());

    const report = () => context.inFlight(queue.length + slots.length, queue.length);

    const finish = () => {
      if (over) return;
      over = true;
      turn?.leave();
      context.signal.removeEventListener('abort', stop);
      forget();
      queue.clear('stopped');
      if (slots.length > 0) context.dropped(slots.length, 'stopped');
      slots.length = 0;
      report();
    };

    const stop = () => {
      finish();
      subscriber.complete();
    };

    const takeQueue = (changed: QueueOptions) => {
      queue.adjust(changed);
      workers = most(changed);
      pump();
    };
    // A queue that the code gives is not that of the pipeline file.
    const forget = options.queue ? () => {} : context.onQueue(takeQueue);

    const startWaiting = () => {
      // A finished slot behind an unfinished one keeps its place.
      while (!over && running < workers && slots.length < workers * 2) {
        if (queue.length === 0) break;
        const done = turn ? turn.take(workers) : () => {};
        if (!done) break;
        const frame = queue.take();
        if (!frame) {
          // All that waited were too old.
          done();
          break;
        }
        start(frame, done);
      }
    };

    const pump = () => {
      startWaiting();
      report();
      if (!over && inputDone && queue.length === 0 && slots.length === 0) {
        finish();
        subscriber.complete();
      }
    };

    const start = (frame: Frame, done: () => void) => {
      const slot: Slot = { done: false };
      slots.push(slot);
      running++;
      new Promise<Frame | undefined>((resolve) => resolve(work(frame, context.signal)))
        .then(
          (result) => settle(slot, result, done),
          (error: unknown) => fail(slot, frame, error, done),
        )
        .catch((error: unknown) => subscriber.error(error));
    };

    const settle = (slot: Slot, result: Frame | undefined, done: () => void) => {
      if (!over) {
        running--;
        slot.done = true;
        slot.result = result;
      }
      done();
      if (over) return;
      // Start the next frame first, so that work continues while later stages use this thread.
      startWaiting();
      emitReady();
      pump();
    };

    const fail = (slot: Slot, frame: Frame, error: unknown, done: () => void) => {
      if (!over) {
        running--;
        slots.splice(slots.indexOf(slot), 1);
        context.failed(1);
      }
      done();
      if (over) return;
      const { onError = 'fail' } = options;
      if ((typeof onError === 'function' ? onError(error) : onError) === 'fail') {
        finish();
        subscriber.error(error);
        return;
      }
      warnings.report(`frame ${frame.seq} failed: ${reason(error)}`);
      emitReady();
      pump();
    };

    const emitReady = () => {
      for (let i = 0; i < slots.length && !over; ) {
        const slot = slots[i] as Slot;
        if (!slot.done) {
          if (ordered) return;
          i++;
          continue;
        }
        slots.splice(i, 1);
        if (slot.result) subscriber.next(slot.result);
      }
    };

    context.signal.addEventListener('abort', stop, { once: true });
    const subscription = input.subscribe({
      next(frame) {
        // An operator in front may release frames when the source is stopped.
        if (over) {
          context.dropped(1, 'stopped');
          return;
        }
        queue.push(frame);
        pump();
      },
      error(error) {
        finish();
        subscriber.error(error);
      },
      complete() {
        inputDone = true;
        pump();
      },
    });
    return () => {
      finish();
      subscription.unsubscribe();
    };
  });
}

function standalone(): AsyncContext {
  const ignore = () => {};
  return {
    path: 'mapAsync',
    clock: systemClock,
    gate: new Gate(),
    signal: new AbortController().signal,
    queue: { limit: 1, whenFull: 'drop-oldest' },
    onQueue: () => ignore,
    log: { debug: ignore, info: ignore, warn: ignore },
    dropped: ignore,
    failed: ignore,
    inFlight: ignore,
  };
}
