import { Observable, type Subscriber, type Subscription } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { Frame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';
import type { FrameObserver } from './frame-observer.ts';
import type { StageLedger } from './ledger.ts';
import type { StageListener } from './stage-times.ts';

export interface StageParts {
  readonly ledger: StageLedger;
  /** For messages: `operators[1] smooth`. */
  readonly path: string;
  /** Holds back the frames of this chain. */
  readonly gate: Gate;
  readonly clock: Clock;
  readonly listener?: StageListener | undefined;
  readonly observer?: FrameObserver | undefined;
}

/** Delay before a repeated subscription to an ended input is answered, so that no loop blocks; ms. */
const againMs = 1;

/**
 * The input of a stage as its operator sees it: hot, and counted once however often the operator
 * subscribes. An operator that has unsubscribed and may come back (`retry`, `repeat`) holds the
 * gate; frames that come nevertheless are dropped, counted.
 */
export class StageInput {
  readonly frames: Observable<Frame>;
  /** The last error that came from above. */
  error: unknown;
  /** Frames that the stage had failed on when its newest one entered. */
  failedAtEntry: number;
  readonly #above: Observable<Frame>;
  readonly #parts: StageParts;
  readonly #holder: string;
  readonly #subscribers = new Set<Subscriber<Frame>>();
  #connection: Subscription | undefined;
  #connected = false;
  #ended: 'complete' | 'error' | undefined;
  #ready = false;
  #closed = false;

  constructor(above: Observable<Frame>, parts: StageParts) {
    this.#above = above;
    this.#parts = parts;
    this.failedAtEntry = parts.ledger.failed;
    this.#holder = `${parts.path} (not subscribed)`;
    this.frames = new Observable((subscriber) => this.#add(subscriber));
  }

  /** Call when the operator has made its first subscriptions; frames arrive from now on. */
  start(): void {
    this.#ready = true;
    if (this.#subscribers.size > 0) this.#connect();
  }

  /** The stage is over. */
  close(): void {
    this.#closed = true;
    this.#subscribers.clear();
    this.#connection?.unsubscribe();
    this.#parts.gate.release(this.#holder);
  }

  #add(subscriber: Subscriber<Frame>): (() => void) | undefined {
    if (this.#closed) return undefined;
    if (this.#ended) return this.#addAgain(subscriber);
    this.#subscribers.add(subscriber);
    this.#parts.gate.release(this.#holder);
    if (this.#ready) this.#connect();
    return () => this.#remove(subscriber);
  }

  #addAgain(subscriber: Subscriber<Frame>): () => void {
    const cancel = this.#parts.clock.after(againMs, () => {
      if (this.#closed) return;
      if (this.#ended === 'complete') subscriber.complete();
      // The stages above may be subscribed to again after an error of theirs.
      this.#ended = this.#ended === 'error' ? undefined : this.#ended;
      if (!subscriber.closed) this.#add(subscriber);
    });
    return () => {
      cancel();
      this.#remove(subscriber);
    };
  }

  #remove(subscriber: Subscriber<Frame>): void {
    if (!this.#subscribers.delete(subscriber)) return;
    if (this.#subscribers.size > 0 || this.#closed || this.#ended) return;
    if (this.#connected) this.#parts.gate.hold(this.#holder);
  }

  #connect(): void {
    if (this.#connected) return;
    this.#connected = true;
    const connection = this.#above.subscribe({
      next: (frame) => this.#next(frame),
      error: (error: unknown) => {
        this.error = error;
        this.#end('error', (subscriber) => subscriber.error(error));
      },
      complete: () => {
        this.#parts.ledger.inputEnded = true;
        this.#end('complete', (subscriber) => subscriber.complete());
      },
    });
    // It may have ended, or this stage may have, before the call came back.
    if (this.#closed) connection.unsubscribe();
    else if (this.#connected) this.#connection = connection;
  }

  #next(frame: Frame): void {
    const { ledger, listener } = this.#parts;
    ledger.entered++;
    this.failedAtEntry = ledger.failed;
    if (this.#subscribers.size === 0) {
      ledger.drop(1, 'operator not subscribed');
      return;
    }
    listener?.enter(ledger.name);
    for (const subscriber of [...this.#subscribers]) subscriber.next(frame);
    listener?.leave();
  }

  #end(how: 'complete' | 'error', tell: (subscriber: Subscriber<Frame>) => void): void {
    this.#ended = how;
    this.#connected = false;
    this.#connection = undefined;
    this.#parts.gate.release(this.#holder);
    const subscribers = [...this.#subscribers];
    this.#subscribers.clear();
    for (const subscriber of subscribers) tell(subscriber);
  }
}
