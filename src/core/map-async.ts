import { Observable, type OperatorFunction } from 'rxjs';
import { systemClock } from './clock.ts';
import type { ComponentContext } from './component.ts';
import { reason } from './errors.ts';
import type { Frame } from './frame.ts';
import { Gate } from './gate.ts';
import { FrameQueue, type QueueOptions } from './queue.ts';

/** The part of a component's context that an asynchronous stage needs. */
export type AsyncContext = Pick<
  ComponentContext,
  'path' | 'clock' | 'gate' | 'signal' | 'queue' | 'log' | 'dropped' | 'failed' | 'inFlight'
>;

export interface MapAsyncOptions {
  /** Frames worked on at the same time. Default 1. */
  readonly concurrency?: number;
  /** Results leave in the order in which frames came. Default true. */
  readonly ordered?: boolean;
  /**
   * `fail` ends the pipeline when the function rejects, `skip` counts the frame as failed. A
   * function chooses by the error. Default `fail`.
   */
  readonly onError?: 'fail' | 'skip' | ((error: unknown) => 'fail' | 'skip');
  /** The queue in front; default: what the pipeline says, else limit 1, `block`. */
  readonly queue?: QueueOptions;
  /** Given by a component's `create`; a pipeline composed in code fills it in by itself. */
  readonly context?: AsyncContext;
}

const bind = Symbol('mapAsync.bind');

type Bindable = OperatorFunction<Frame, Frame> & {
  [bind]?: (context: AsyncContext) => OperatorFunction<Frame, Frame>;
};

/** Used by the runner: gives an operator made by `mapAsync` in user code its place in a pipeline. */
export function bindContext(
  operator: OperatorFunction<Frame, Frame>,
  context: AsyncContext,
): OperatorFunction<Frame, Frame> {
  return (operator as Bindable)[bind]?.(context) ?? operator;
}

/** True if the operator was made by `mapAsync`, and so stands behind a queue. */
export function isAsyncOperator(operator: unknown): boolean {
  return typeof operator === 'function' && bind in operator;
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
  const operator: Bindable = (input) => run(input, work, options, options.context ?? standalone());
  operator[bind] = (context) => (input) => run(input, work, options, context);
  return operator;
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
  const concurrency = options.concurrency ?? 1;
  const ordered = options.ordered ?? true;
  return new Observable((subscriber) => {
    const queue = new FrameQueue(options.queue ?? context.queue, context);
    const slots: Slot[] = [];
    let running = 0;
    let inputDone = false;
    let over = false;

    const report = () => context.inFlight(queue.length + slots.length);

    const finish = () => {
      if (over) return;
      over = true;
      context.signal.removeEventListener('abort', stop);
      queue.clear('stopped');
      if (slots.length > 0) context.dropped(slots.length, 'stopped');
      slots.length = 0;
      report();
    };

    const stop = () => {
      finish();
      subscriber.complete();
    };

    const startWaiting = () => {
      // A finished slot at the head waits for nobody; behind an unfinished one it keeps its place.
      while (!over && running < concurrency && slots.length < concurrency * 2) {
        const frame = queue.take();
        if (!frame) break;
        start(frame);
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

    const start = (frame: Frame) => {
      const slot: Slot = { done: false };
      slots.push(slot);
      running++;
      new Promise<Frame | undefined>((resolve) => resolve(work(frame, context.signal)))
        .then(
          (result) => settle(slot, result),
          (error: unknown) => fail(slot, frame, error),
        )
        .catch((error: unknown) => subscriber.error(error));
    };

    const settle = (slot: Slot, result: Frame | undefined) => {
      if (over) return;
      running--;
      slot.done = true;
      slot.result = result;
      // First the next one, so that the work goes on while those downstream use this thread.
      startWaiting();
      emitReady();
      pump();
    };

    const fail = (slot: Slot, frame: Frame, error: unknown) => {
      if (over) return;
      running--;
      slots.splice(slots.indexOf(slot), 1);
      context.failed(1);
      const { onError = 'fail' } = options;
      if ((typeof onError === 'function' ? onError(error) : onError) === 'fail') {
        finish();
        subscriber.error(error);
        return;
      }
      context.log.warn(`frame ${frame.seq} failed: ${reason(error)}`);
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
    log: { debug: ignore, info: ignore, warn: ignore },
    dropped: ignore,
    failed: ignore,
    inFlight: ignore,
  };
}
