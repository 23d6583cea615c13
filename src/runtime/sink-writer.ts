import { ageMs, type Clock, sleep } from '../core/clock.ts';
import type { Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { type DepthlineError, located, reason } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { LimitedMessages } from '../core/limited-messages.ts';
import { giveReceipt } from '../core/receipts.ts';
import { SinkClosed } from '../core/sink-closed.ts';
import { SinkLost } from '../core/sink-lost.ts';
import type { OnError } from '../pipeline/pipeline.ts';
import { LatencyRecorder } from './latency.ts';
import type { StageLedger } from './ledger.ts';
import type { StageListener } from './stage-times.ts';

/** Why a sink accepts no more frames. */
export type SinkEnd =
  | { readonly how: 'failed' | 'lost'; readonly error: DepthlineError }
  | { readonly how: 'closed'; readonly message: string; readonly ends: SinkClosed['ends'] };

export interface SinkWriterParts {
  readonly path: string;
  readonly sink: Sink;
  readonly context: ComponentContext;
  readonly onError: OnError;
  readonly clock: Clock;
  readonly sinkLedger: StageLedger;
  readonly listener?: StageListener | undefined;
  /** Told the age of every delivered frame, milliseconds. */
  readonly onDelivered?: ((ageMs: number) => void) | undefined;
  /** The sink accepts no more frames; its current one is accounted for. */
  onSinkEnd(end: SinkEnd): void;
}

const retryFirstMs = 100;
const retryLongestMs = 2000;
/** How long an abandoned write may still take, milliseconds. */
const lastWriteMs = 300;

/** Writes frames to a sink, one at a time, and accounts for each exactly once. */
export class SinkWriter {
  readonly latency = new LatencyRecorder();
  /** Capture-to-delivery age of the newest delivered frame, milliseconds. */
  lastAgeMs: number | undefined;
  readonly #parts: SinkWriterParts;
  readonly #warnings: LimitedMessages;
  #current: Frame | undefined;
  /** False: no further attempt at a write that fails. */
  #patient = true;
  #givenUp: string | undefined;

  constructor(parts: SinkWriterParts) {
    this.#parts = parts;
    const { clock, context } = parts;
    this.#warnings = new LimitedMessages(clock, (message) => context.log.warn(message));
  }

  /** True while a frame is being written. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /** Writes a frame. Resolves when it is accounted for; nothing if it is already. Never rejects. */
  write(frame: Frame): Promise<void> | undefined {
    this.#current = frame;
    try {
      const written = this.#attempt(frame);
      if (isThenable(written)) return this.#wait(frame, written);
    } catch (error) {
      return this.#failed(frame, error);
    }
    this.#delivered(frame);
    return undefined;
  }

  /** From now on a write that fails is not tried again. */
  endRetries(): void {
    this.#patient = false;
  }

  /** Gives up the frame being written, unless its write ends in a moment. */
  async abandon(why: string): Promise<void> {
    this.#patient = false;
    this.#givenUp ??= why;
    const frame = this.#current;
    await sleep(this.#parts.clock, lastWriteMs);
    if (frame && this.#settle(frame)) this.#parts.sinkLedger.drop(1, why);
  }

  async #wait(frame: Frame, written: PromiseLike<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      return this.#failed(frame, error);
    }
    this.#delivered(frame);
  }

  #attempt(frame: Frame): unknown {
    const { sink, sinkLedger, listener } = this.#parts;
    listener?.enter(sinkLedger.name);
    try {
      return sink.write(frame);
    } finally {
      listener?.leave();
    }
  }

  /** False if the frame has been accounted for already. */
  #settle(frame: Frame): boolean {
    if (this.#current !== frame) return false;
    this.#current = undefined;
    return true;
  }

  #delivered(frame: Frame): void {
    if (!this.#settle(frame)) return;
    this.#parts.sinkLedger.left++;
    if (!this.#parts.sink.confirms) giveReceipt(frame, this.#parts.path);
    this.lastAgeMs = ageMs(this.#parts.clock, frame);
    this.latency.record(this.lastAgeMs);
    this.#parts.onDelivered?.(this.lastAgeMs);
  }

  async #failed(frame: Frame, error: unknown): Promise<void> {
    const { onError, sinkLedger, path } = this.#parts;
    if (this.#ended(frame, error)) return;
    const again = onError === 'retry' && !(error instanceof FrameRefused);
    if (again && (await this.#retry(frame, error))) return;
    if (!this.#settle(frame)) return;
    if (this.#givenUp !== undefined) {
      // A sink that gives up a write because the run stops has not failed.
      sinkLedger.drop(1, this.#givenUp);
      return;
    }
    sinkLedger.failed++;
    if (onError !== 'fail')
      this.#warnings.report(`frame ${frame.seq} was not written: ${reason(error)}`);
    else this.#parts.onSinkEnd({ how: 'failed', error: located(error, 'SINK', path) });
  }

  /** True if the error means that the sink accepts no more frames; the frame is accounted for. */
  #ended(frame: Frame, error: unknown): boolean {
    const { onError, sinkLedger, path } = this.#parts;
    if (error instanceof SinkClosed) {
      const { message, ends } = error;
      if (!this.#settle(frame)) return true;
      sinkLedger.drop(1, message);
      this.#parts.onSinkEnd({ how: 'closed', message, ends });
      return true;
    }
    if (!(error instanceof SinkLost) || onError === 'fail') return false;
    if (!this.#settle(frame)) return true;
    sinkLedger.failed++;
    this.#parts.onSinkEnd({ how: 'lost', error: located(error, 'SINK', path) });
    return true;
  }

  /** True if the frame is accounted for; false if the retries ended before it was delivered. */
  async #retry(frame: Frame, error: unknown): Promise<boolean> {
    const { clock, context } = this.#parts;
    let pause = retryFirstMs;
    this.#warnings.report(`frame ${frame.seq} was not written, trying again: ${reason(error)}`);
    while (this.#patient && !context.signal.aborted) {
      await sleep(clock, pause, context.signal);
      pause = Math.min(retryLongestMs, pause * 2);
      if (this.#current !== frame) return true;
      try {
        await this.#attempt(frame);
        this.#delivered(frame);
        return true;
      } catch (again) {
        // Any other reason was reported above; the next attempt follows.
        if (this.#ended(frame, again)) return true;
      }
    }
    return false;
  }
}

function isThenable(value: unknown): value is PromiseLike<void> {
  return typeof (value as PromiseLike<void> | undefined)?.then === 'function';
}
