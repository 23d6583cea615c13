import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { BehaviorSubject, distinctUntilChanged, map, type Observable } from 'rxjs';
import { WebSocketServer } from 'ws';
import type { Clock } from '../core/clock.ts';
import { packageDirectory } from '../core/entry-point.ts';
import { reason } from '../core/errors.ts';
import type { RunStats } from '../core/run-stats.ts';
import { reachableAddresses } from '../http/addresses.ts';
import { BoundedServer } from '../http/bounded-server.ts';
import { ForeignOrigins } from '../http/foreign-origins.ts';
import { type Audience, connectionProblem, hasToken, nameProblem, speaks } from './access.ts';
import { LiveClient } from './live-client.ts';
import type { LiveFrame } from './live-frame.ts';
import { protocol, type ServerMessage, tooManyPages, wrongToken } from './live-message.ts';
import { type PageFile, pageFiles } from './page-files.ts';

export interface LiveServerOptions extends Audience {
  /** 0: any free port. */
  readonly port: number;
  readonly title: string;
  /** Pages that may be open at a time. */
  readonly clients: number;
  /** How long a request may take to arrive, milliseconds. */
  readonly requestMs: number;
  readonly clock: Clock;
  /** Names of the cameras, of a run of several: each page watches one. */
  readonly cameras?: readonly string[] | undefined;
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
  readonly counts = { sent: 0, notSent: 0, bytes: 0, clients: 0, refused: 0 };
  readonly #options: LiveServerOptions;
  readonly #server: BoundedServer;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: longestMessage,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  readonly #run = randomUUID();
  readonly #clients = new Set<LiveClient>();
  readonly #changes = new BehaviorSubject(undefined);
  readonly #foreign: ForeignOrigins;
  #address = '';
  #cancelHeartbeat = () => {};
  #cancelStats: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: LiveServerOptions, files: ReadonlyMap<string, PageFile>) {
    this.#options = options;
    const limits = {
      // Pages, and requests for their files.
      connections: 4 * options.clients + 16,
      headerMs: options.requestMs,
      checkMs: Math.ceil(options.requestMs / 4),
      // A file that is not read to its end.
      idleMs: 4 * options.requestMs,
    };
    this.#server = new BoundedServer(limits, (request, response) => {
      const { status, headers, body } = this.#answer(request, files);
      response.writeHead(status, headers);
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    this.#foreign = new ForeignOrigins(
      options.warn,
      'if that is this page behind a proxy, add it to "origins"',
    );
    this.#server.http.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** @throws DepthlineError if the port is taken, the host is not of this machine, the page not built */
  static async open(options: LiveServerOptions): Promise<LiveServer> {
    const files = await pageFiles(join(packageDirectory(), 'dist', 'page'));
    const server = new LiveServer(options, files);
    server.#address = await server.#server.listen(options, { code: 'SINK' }, options.warn);
    server.#beat();
    return server;
  }

  /** Address of the page, with the port that was taken. */
  get address(): string {
    return this.#address;
  }

  /** Addresses at which it can be opened. */
  get addresses(): readonly string[] {
    return reachableAddresses(this.#address);
  }

  /** Whether a page watches. */
  get wanted(): Observable<boolean> {
    return this.wantedOf();
  }

  /** Whether a page watches the camera. */
  wantedOf(camera?: string): Observable<boolean> {
    return this.#changes.pipe(
      map(() => this.#watched(camera)),
      distinctUntilChanged(),
    );
  }

  /** Offers the frame to each page that watches. Resolves when those that are ready have it. */
  async show(frame: LiveFrame): Promise<void> {
    const { cameras } = this.#options;
    const watchers = [...this.#clients].filter(
      ({ camera }) => cameras === undefined || camera === frame.camera,
    );
    await Promise.all(watchers.map((client) => client.offer(frame)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelHeartbeat();
    this.#cancelStats?.();
    const closed = this.#server.close();
    for (const client of this.#clients) client.close();
    await closed;
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

  #answer(request: IncomingMessage, files: ReadonlyMap<string, PageFile>): Answer {
    const problem = nameProblem(request, this.#options);
    if (problem !== undefined) {
      this.counts.refused++;
      return refusal(403, problem);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refusal(405, 'only GET and HEAD', { Allow: 'GET, HEAD' });
    const file = files.get((request.url ?? '').split('?')[0] as string);
    return file ? { status: 200, ...file } : refusal(404, 'there is no such file');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const problem = this.#connectionProblem(request);
    if (problem !== undefined) {
      this.counts.refused++;
      refuse(socket, problem);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const code = !hasToken(request, this.#options.token)
        ? wrongToken
        : this.#clients.size >= this.#options.clients
          ? tooManyPages
          : undefined;
      if (code !== undefined) {
        this.counts.refused++;
        webSocket.on('error', () => {});
        webSocket.close(code);
        return;
      }
      const { counts } = this;
      const { title, cameras } = this.#options;
      const hello = { type: 'hello', run: this.#run, title, ...(cameras && { cameras }) } as const;
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

  #connectionProblem(request: IncomingMessage): string | undefined {
    const { headers, url } = request;
    const name = nameProblem(request, this.#options);
    if (name !== undefined) return name;
    const foreign = connectionProblem(request, this.#options);
    if (foreign !== undefined) {
      this.#foreign.report(headers.origin);
      return foreign;
    }
    if (url !== '/live' || !speaks(request)) return 'not a connection of the page';
    return this.#closing ? 'the run has ended' : undefined;
  }

  #watched(of?: string): boolean {
    return [...this.#clients].some(
      ({ watching, camera }) => watching && (of === undefined || of === camera),
    );
  }

  #changed(): void {
    const wanted = this.#watched();
    this.#changes.next(undefined);
    if (wanted && !this.#cancelStats && !this.#closing) this.#tellStats();
    if (wanted) return;
    this.#cancelStats?.();
    this.#cancelStats = undefined;
  }
}

interface Answer extends PageFile {
  readonly status: number;
}

function refusal(status: number, why: string, more: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(`${why}\n`);
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    'X-Content-Type-Options': 'nosniff',
    // What else it sends, such as a long body, is not waited for.
    Connection: 'close',
    ...more,
  };
  return { status, headers, body };
}

function refuse(socket: Duplex, why: string): void {
  const { headers, body } = refusal(403, why);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 403 Forbidden\r\n${lines.join('')}\r\n${body}`);
}
