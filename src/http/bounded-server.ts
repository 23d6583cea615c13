import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { DepthlineError, type ErrorCode, reason } from '../core/errors.ts';
import { listen, listenProblem, type Place } from './listen.ts';

export interface ServerLimits {
  /** Further ones are refused at once. */
  readonly connections: number;
  /** How long the header of a request may take to arrive, milliseconds. */
  readonly headerMs: number;
  /** How long a whole request may take, milliseconds. Default: as long as its header. */
  readonly requestMs?: number;
  /** How often those times are enforced, milliseconds. */
  readonly checkMs: number;
  /** A connection on which nothing moves for so long is closed, milliseconds. */
  readonly idleMs: number;
  /** Default: that of Node.js. */
  readonly headerBytes?: number;
}

/** How long clients may take to end their connections when the server closes, milliseconds. */
const closeMs = 500;

/** An HTTP server that no client can keep busy or open. */
export class BoundedServer {
  readonly http: Server;
  readonly #connections = new Set<Socket>();
  #closing: Promise<void> | undefined;

  constructor(limits: ServerLimits, answer: RequestListener) {
    const { connections, headerMs, requestMs = headerMs, checkMs, idleMs, headerBytes } = limits;
    const options = {
      headersTimeout: headerMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      ...(headerBytes !== undefined && { maxHeaderSize: headerBytes }),
    };
    this.http = createServer(options, answer);
    this.http.timeout = idleMs;
    this.http.maxConnections = connections;
    this.http.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /**
   * Resolves to the address, with the port that was taken: `http://127.0.0.1:9464/`.
   *
   * @param warn told of errors that come later
   * @throws DepthlineError of this code if the port is taken or the host is not of this machine
   */
  async listen(
    place: Place,
    { code, at }: { readonly code: ErrorCode; readonly at?: string },
    warn: (message: string) => void,
  ): Promise<string> {
    try {
      const address = await listen(this.http, place);
      this.http.on('error', (error) => warn(reason(error)));
      return address;
    } catch (cause) {
      const details = { cause, ...(at !== undefined && { at }) };
      throw new DepthlineError(code, listenProblem(cause, place), details);
    }
  }

  /** Takes no more connections, answers the requests that have arrived, then closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = once(this.http, 'close');
    this.http.close();
    this.http.closeIdleConnections();
    const patience = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, closeMs);
    await closed;
    clearTimeout(patience);
  }
}
