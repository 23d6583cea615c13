import { Observable, type Subscriber } from 'rxjs';
import type { Frame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';

/**
 * Where frames enter a chain of operators. While no operator is subscribed it holds the gate, so that
 * no frame is lost. One subscriber at a time.
 */
export class Tap {
  /** What the first operator subscribes to. */
  readonly frames: Observable<Frame>;
  readonly #gate: Gate;
  readonly #holder: string;
  readonly #onSubscribed: () => void;
  #subscriber: Subscriber<Frame> | undefined;
  #complete = false;

  /** @param onSubscribed called at each subscription, when frames can be pushed */
  constructor(gate: Gate, holder: string, onSubscribed: () => void = () => {}) {
    this.#gate = gate;
    this.#holder = holder;
    this.#onSubscribed = onSubscribed;
    this.frames = new Observable((subscriber) => this.#connect(subscriber));
  }

  /** Whether a frame that is pushed now gets anywhere. */
  get subscribed(): boolean {
    return this.#subscriber !== undefined;
  }

  /** Gives a frame to the operators; false if none is subscribed. */
  push(frame: Frame): boolean {
    if (!this.#subscriber) return false;
    this.#subscriber.next(frame);
    return true;
  }

  /** No more frames will come, also for those that subscribe later. */
  complete(): void {
    this.#complete = true;
    this.#gate.release(this.#holder);
    this.#subscriber?.complete();
  }

  /** Waits for a subscriber from now on. */
  open(): void {
    if (!this.#subscriber && !this.#complete) this.#gate.hold(this.#holder);
  }

  #connect(subscriber: Subscriber<Frame>): () => void {
    if (this.#complete) {
      subscriber.complete();
      return () => {};
    }
    this.#subscriber = subscriber;
    this.#gate.release(this.#holder);
    this.#onSubscribed();
    return () => {
      if (this.#subscriber !== subscriber) return;
      this.#subscriber = undefined;
      this.open();
    };
  }
}
