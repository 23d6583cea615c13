import type { WebSocket } from 'ws';
import type { LiveFrame } from './live-frame.ts';
import type { PageMessage, ServerMessage } from './live-message.ts';

/** Frames on their way to a page that has not said yet that it has decoded them. */
const inFlightLimit = 2;
/** Bytes of earlier frames that may still wait in the process before the next is sent. */
const bufferedLimit = 64 * 1024;

export interface ClientEvents {
  /** It has begun or stopped to watch, or has gone. */
  changed(): void;
  sent(bytes: number): void;
  dropped(): void;
  failed(error: unknown): void;
}

type Hello = Extract<ServerMessage, { type: 'hello' }>;

/**
 * One page. It gets a frame when it has decoded the one before the last; of the frames that come
 * meanwhile only the newest is kept, the others are counted.
 */
export class LiveClient {
  readonly #socket: WebSocket;
  readonly #events: ClientEvents;
  #watching = false;
  #gone = false;
  #sending = false;
  readonly #unseen: number[] = [];
  #pending: LiveFrame | undefined;
  #dropped = 0;
  #reported = 0;
  #answered = true;

  /** The camera whose frames it gets, of a run of several. */
  #camera: string | undefined;
  readonly #cameras: readonly string[];

  constructor(socket: WebSocket, hello: Hello, events: ClientEvents) {
    this.#socket = socket;
    this.#cameras = hello.cameras ?? [];
    this.#camera = this.#cameras[0];
    this.#events = events;
    socket.on('message', (data, binary) => this.#receive(binary ? undefined : data.toString()));
    socket.on('pong', () => {
      this.#answered = true;
    });
    socket.once('close', () => {
      this.#gone = true;
      this.#pending = undefined;
      events.changed();
    });
    // 'close' follows.
    socket.on('error', () => {});
    this.#say(hello);
  }

  get camera(): string | undefined {
    return this.#camera;
  }

  get watching(): boolean {
    return this.#watching && !this.#gone;
  }

  /** Sends the frame, or keeps it until the page is ready. Resolves when it is handed to the system. */
  async offer(frame: LiveFrame): Promise<void> {
    if (!this.watching) return;
    if (this.#pending) this.#drop();
    this.#pending = frame;
    await this.#sendNext();
  }

  /** Sends a small message, unless the page reads so slowly that earlier ones still wait. */
  tell(message: string): void {
    if (this.watching && this.#socket.bufferedAmount <= bufferedLimit)
      this.#socket.send(message, () => {});
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
    this.#socket.close(1001, 'the run has ended');
  }

  #drop(): void {
    this.#dropped++;
    this.#events.dropped();
  }

  async #sendNext(): Promise<void> {
    const ready =
      !this.#sending &&
      this.#unseen.length < inFlightLimit &&
      this.#socket.bufferedAmount <= bufferedLimit;
    const frame = this.#pending;
    if (!frame || !ready || !this.watching) return;
    this.#pending = undefined;
    this.#sending = true;
    try {
      const message = await frame.message();
      if (!this.watching) return;
      this.#unseen.push(frame.seq);
      if (this.#reported !== this.#dropped) {
        this.#reported = this.#dropped;
        this.#say({ type: 'status', dropped: this.#dropped });
      }
      this.#socket.send(message, (error) => {
        // A connection that breaks closes by itself.
        if (!error) this.#events.sent(message.length);
        void this.#sendNext().catch(this.#events.failed);
      });
    } finally {
      this.#sending = false;
    }
  }

  #say(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message), () => {});
  }

  #receive(text: string | undefined): void {
    const message = text === undefined ? undefined : parse(text);
    if (!message) {
      this.#socket.close(1008, 'not a message of the page');
      return;
    }
    if (message.type === 'watch') {
      this.#watching = message.watching;
      const camera = message.camera ?? this.#cameras[0];
      // A frame of another camera is not what the page wants any more.
      if (!message.watching || camera !== this.#camera) this.#pending = undefined;
      if (camera === undefined || this.#cameras.includes(camera)) this.#camera = camera;
      this.#unseen.length = 0;
      this.#events.changed();
      return;
    }
    const at = this.#unseen.indexOf(message.seq);
    if (at >= 0) this.#unseen.splice(0, at + 1);
    void this.#sendNext().catch(this.#events.failed);
  }
}

function parse(text: string): PageMessage | undefined {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  if (value?.type === 'watch' && typeof value.watching === 'boolean') {
    const { watching, camera } = value;
    return { type: 'watch', watching, ...(typeof camera === 'string' && { camera }) };
  }
  if (value?.type === 'shown' && Number.isSafeInteger(value.seq))
    return { type: 'shown', seq: value.seq as number };
  return undefined;
}
