import type { WebSocket } from 'ws';
import type { Clock } from '../core/clock.ts';

type Handler = ((event: never) => void) | null | undefined;

export interface ConnectionEvents {
  sent(bytes: number): void;
  /** A frame was replaced by a newer one before this client had read the one before. */
  dropped(): void;
}

/** Bytes of earlier messages that may still wait in the process before the next frame is sent. */
const bufferedLimit = 64 * 1024;
/** Answers that a client has not read; it is disconnected beyond that, bytes. */
const answersLimit = 4 * 1024 * 1024;
/** Names of parameters that a client may subscribe to in its life, bytes. */
const namesLimit = 1024 * 1024;

/** Messages of a client that are taken in a second, and those that have arrived with them; the rest waits. */
const mostReceived = 100;
const secondMs = 1000;

/**
 * The connection to one client, as the library's server uses it. Text is sent at once. Of frames, a
 * client that reads too slowly gets the newest only: the one that waits is replaced and counted.
 */
export class LiveConnection {
  binaryType = 'nodebuffer';
  onopen: Handler;
  onerror: Handler;
  onclose: Handler;
  onmessage: ((event: { data: string | Uint8Array }) => void) | null | undefined;
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  /** Messages of the newest frame that wait until the client has read. */
  #pending: Uint8Array[] = [];
  /** Messages that do not belong to frames, the newest of each subscription. */
  readonly #steady = new Map<number, Uint8Array>();
  #takes: 'frame' | 'steady' = 'frame';
  #sending = 0;
  #answers = 0;
  #names = 0;
  #answered = true;
  #received = 0;
  #cancelPace = () => {};

  constructor(socket: WebSocket, events: ConnectionEvents, clock: Clock) {
    this.#socket = socket;
    this.#events = events;
    this.#clock = clock;
    socket.on('message', (data, binary) => this.#receive(data as Buffer, binary));
    socket.on('pong', () => {
      this.#answered = true;
    });
    socket.once('close', () => {
      this.#cancelPace();
      this.#pending = [];
      this.#steady.clear();
      this.onclose?.({} as never);
    });
    // 'close' follows.
    socket.on('error', () => {});
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** To be called before messages that do not belong to a frame. */
  beginSteady(): void {
    this.#takes = 'steady';
  }

  /** To be called before the messages of each frame. */
  beginFrame(): void {
    this.#takes = 'frame';
    if (this.#pending.length === 0) return;
    this.#pending = [];
    this.#events.dropped();
  }

  send(data: string | ArrayBuffer | ArrayBufferView): void {
    if (typeof data === 'string') {
      this.#answer(data);
      return;
    }
    const message = data as Uint8Array;
    if (this.#takes === 'frame') this.#pending.push(message);
    else this.#steady.set(subscriptionOf(message), message);
  }

  /** To be called after messages. */
  flush(): void {
    const { bufferedAmount, readyState, OPEN } = this.#socket;
    if (this.#sending > 0 || bufferedAmount > bufferedLimit || readyState !== OPEN) return;
    const messages = [...this.#steady.values(), ...this.#pending.splice(0)];
    this.#steady.clear();
    for (const message of messages) {
      this.#sending++;
      this.#socket.send(message, (error) => {
        this.#sending--;
        // A connection that breaks closes by itself.
        if (!error) this.#events.sent(message.byteLength);
        if (this.#sending === 0) this.flush();
      });
    }
  }

  /** Called at intervals: closes a connection that did not answer the last time. */
  check(): void {
    if (!this.#answered) {
      this.#socket.terminate();
      return;
    }
    this.#answered = false;
    this.#socket.ping();
  }

  close(): void {
    this.#socket.resume();
    this.#socket.close(1001, 'the run has ended');
  }

  #answer(text: string): void {
    this.#answers += text.length;
    if (this.#answers > answersLimit) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(text, () => {
      this.#answers -= text.length;
    });
  }

  /** A client that sends without end must not keep the thread from everybody else. */
  #pace(): void {
    this.#received++;
    if (this.#received === 1) {
      this.#cancelPace = this.#clock.after(secondMs, () => {
        this.#received = 0;
        this.#socket.resume();
      });
    }
    if (this.#received === mostReceived) this.#socket.pause();
  }

  #receive(data: Buffer, binary: boolean): void {
    this.#pace();
    if (binary) {
      this.onmessage?.({ data });
      return;
    }
    const text = data.toString();
    // The library keeps the names that are subscribed to.
    if (text.includes('subscribeParameterUpdates')) this.#names += text.length;
    if (this.#names > namesLimit) this.#socket.terminate();
    else this.onmessage?.({ data: text });
  }
}

/** Behind the opcode of a message. */
function subscriptionOf({ buffer, byteOffset }: Uint8Array): number {
  return new DataView(buffer, byteOffset).getUint32(1, true);
}
