import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { WebSocketServer } from 'ws';
import type { Clock } from '../core/clock.ts';
import { packageDirectory } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { RunStats } from '../core/run-stats.ts';
import { hostProblem, originProblem } from '../http/access.ts';
import { listen, listenProblem } from '../http/listen.ts';
import { hasToken, speaks } from './access.ts';
import { LiveClient } from './live-client.ts';
import type { LiveFrame } from './live-frame.ts';
import { protocol, type ServerMessage, tooManyPages, wrongToken } from './live-message.ts';
import { type PageFile, pageFiles } from './page-files.ts';

export interface LiveServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token?: string | undefined;
  readonly title: string;
  /** Pages that may be open at a time. */
  readonly clients: number;
  readonly clock: Clock;
  /** What the run has counted, for the pages. */
  readonly stats: () => RunStats;
  readonly warn: (message: string) => void;
}

/** A page that does not answer for that long is disconnected, milliseconds. */
const heartbeatMs = 10_000;
/** Between two reports of what the run has counted, milliseconds. */
const statsMs = 1000;
/** A page sends small messages only. ws disconnects one that sends more, bytes. */
const longestMessage = 1024;

/** Serves the page, and sends frames to those that watch. */
export class LiveServer {
  readonly counts = { sent: 0, notSent: 0, bytes: 0, clients: 0 };
  readonly #options: LiveServerOptions;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: longestMessage,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  readonly #run = randomUUID();
  readonly #clients = new Set<LiveClient>();
  readonly #wanted = new BehaviorSubject(false);
  readonly #connections = new Set<Socket>();
  #address = '';
  #cancelHeartbeat = () => {};
  #cancelStats: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: LiveServerOptions, files: ReadonlyMap<string, PageFile>) {
    this.#options = options;
    this.#http = createServer((request, response) => {
      const [status, file] = this.#answer(request, files);
      response.writeHead(status, file?.headers ?? { 'Content-Type': 'text/plain' });
      response.end(request.method === 'HEAD' ? undefined : (file?.body ?? `${status}\n`));
    });
    // Pages, and requests for their files.
    this.#http.maxConnections = 4 * options.clients + 16;
    this.#http.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** @throws DepthlineError if the port is taken, the host is not of this machine, the page not built */
  static async open(options: LiveServerOptions): Promise<LiveServer> {
    const files = await pageFiles(join(packageDirectory(), 'dist', 'page'));
    const server = new LiveServer(options, files);
    try {
      server.#address = await listen(server.#http, options);
    } catch (error) {
      throw new DepthlineError('SINK', listenProblem(error, options), { cause: error });
    }
    server.#http.on('error', (error) => options.warn(reason(error)));
    server.#beat();
    return server;
  }

  /** Address of the page, with the port that was taken. */
  get address(): string {
    return this.#address;
  }

  /** Whether a page watches. */
  get wanted(): Observable<boolean> {
    return this.#wanted.pipe(distinctUntilChanged());
  }

  /** Offers the frame to each page that watches. Resolves when those that are ready have it. */
  async show(frame: LiveFrame): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.offer(frame)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelHeartbeat();
    this.#cancelStats?.();
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeIdleConnections();
    for (const client of this.#clients) client.close();
    const patience = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, closeMs);
    await closed;
    clearTimeout(patience);
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#options.clock.after(heartbeatMs, () => {
      for (const client of this.#clients) client.check();
      this.#beat();
    });
  }

  /** While a page watches: tells all that do what the run has counted. */
  #tellStats(): void {
    const message: ServerMessage = { type: 'run', stats: this.#options.stats() };
    const text = JSON.stringify(message);
    for (const client of this.#clients) client.tell(text);
    this.#cancelStats = this.#options.clock.after(statsMs, () => this.#tellStats());
  }

  #answer(
    request: IncomingMessage,
    files: ReadonlyMap<string, PageFile>,
  ): [number, PageFile | undefined] {
    if (hostProblem(request, this.#options.host) !== undefined) return [403, undefined];
    if (request.method !== 'GET' && request.method !== 'HEAD') return [405, undefined];
    const file = files.get((request.url ?? '').split('?')[0] as string);
    return file ? [200, file] : [404, undefined];
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal =
      hostProblem(request, this.#options.host) ??
      originProblem(request) ??
      (request.url === '/live' && speaks(request) ? undefined : 'not a connection of the page');
    if (refusal !== undefined) {
      refuse(socket, 403, refusal);
      return;
    }
    if (this.#closing) {
      refuse(socket, 503, 'the run has ended');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (!hasToken(request, this.#options.token)) {
        webSocket.on('error', () => {});
        webSocket.close(wrongToken, 'token');
        return;
      }
      if (this.#clients.size >= this.#options.clients) {
        webSocket.on('error', () => {});
        webSocket.close(tooManyPages, 'too many pages are open');
        return;
      }
      const { counts } = this;
      const hello = { type: 'hello', run: this.#run, title: this.#options.title } as const;
      const client = new LiveClient(webSocket, hello, {
        changed: () => this.#changed(),
        sent: (bytes) => {
          counts.sent++;
          counts.bytes += bytes;
        },
        dropped: () => {
          counts.notSent++;
        },
        failed: (error) => this.#options.warn(reason(error)),
      });
      counts.clients++;
      this.#clients.add(client);
      webSocket.once('close', () => {
        this.#clients.delete(client);
        this.#changed();
      });
    });
  }

  #changed(): void {
    const wanted = [...this.#clients].some(({ watching }) => watching);
    this.#wanted.next(wanted);
    if (wanted && !this.#cancelStats && !this.#closing) this.#tellStats();
    if (wanted) return;
    this.#cancelStats?.();
    this.#cancelStats = undefined;
  }
}

/** How long pages may take to close their connections, milliseconds. */
const closeMs = 500;

function refuse(socket: Duplex, status: number, why: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${status === 403 ? 'Forbidden' : 'Service Unavailable'}\r\n` +
      `Connection: close\r\nContent-Type: text/plain\r\nContent-Length: ${why.length + 1}\r\n\r\n${why}\n`,
  );
}
