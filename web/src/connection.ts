import {
  type PageMessage,
  protocol,
  type ServerMessage,
  tokenPrefix,
  tooManyPages,
  wrongToken,
} from '../../src/web/live-message.ts';

export type ConnectionState = 'connecting' | 'live' | 'paused' | 'full' | 'lost' | 'token';

export interface ConnectionEvents {
  state(state: ConnectionState): void;
  message(message: ServerMessage): void;
  /** Resolves when the frame is shown. */
  frame(message: ArrayBuffer): Promise<number>;
}

/** Pauses between attempts to connect, milliseconds; the last is repeated. */
const pauses = [250, 500, 1000, 2000];

/** The connection to the run: opened again whenever it ends, until the page is closed. */
export class Connection {
  readonly #events: ConnectionEvents;
  #socket: WebSocket | undefined;
  #attempts = 0;
  #token: string | undefined;
  #watching = true;
  #camera: string | undefined;

  constructor(events: ConnectionEvents, token: string | undefined) {
    this.#events = events;
    this.#token = token;
  }

  connect(token = this.#token): void {
    this.#token = token;
    const protocols = [protocol, ...(token ? [tokenPrefix + base64Url(token)] : [])];
    const socket = new WebSocket(new URL('live', location.href.replace(/^http/, 'ws')), protocols);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#receive(JSON.parse(data) as ServerMessage);
      else this.#show(socket, data);
    };
    socket.onclose = ({ code }) => {
      if (code === wrongToken) {
        this.#events.state('token');
        return;
      }
      this.#events.state(code === tooManyPages ? 'full' : 'lost');
      const pause = pauses[Math.min(this.#attempts++, pauses.length - 1)];
      setTimeout(() => this.connect(), pause);
    };
  }

  /**
   * While it does not watch, the page gets no frames, and the run may rest. @param camera whose frames it
   * gets, of a run of several
   */
  watch(watching: boolean, camera = this.#camera): void {
    if (watching === this.#watching && camera === this.#camera) return;
    this.#watching = watching;
    this.#camera = camera;
    this.#announce();
  }

  #receive(message: ServerMessage): void {
    if (message.type === 'hello') this.#attempts = 0;
    this.#events.message(message);
    if (message.type === 'hello') this.#announce();
  }

  #announce(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const camera = this.#camera;
    this.#say(this.#socket, {
      type: 'watch',
      watching: this.#watching,
      ...(camera !== undefined && { camera }),
    });
    this.#events.state(this.#watching ? 'live' : 'paused');
  }

  #show(socket: WebSocket, data: ArrayBuffer): void {
    this.#events.frame(data).then(
      (seq) => this.#say(socket, { type: 'shown', seq }),
      // A frame that cannot be read: a new connection begins anew.
      () => socket.close(),
    );
  }

  #say(socket: WebSocket, message: PageMessage): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }
}

function base64Url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
