import type { IncomingMessage, ServerResponse } from 'node:http';
import { reason } from '../core/errors.ts';
import { mask } from '../core/secrets.ts';
import { hostProblem, isSecret, originProblem } from '../http/access.ts';
import { BoundedServer } from '../http/bounded-server.ts';
import type { Place } from '../http/listen.ts';
import { readBody } from './read-body.ts';

/** A request to a route, after all checks. */
export interface Asked {
  readonly query: URLSearchParams;
  /** At most 64 KiB. */
  readonly body: Buffer;
  /** Whether the token was given, or none is set; always true for a route that needs it. */
  readonly trusted: boolean;
}

/** What a route answers. */
export interface Answer {
  readonly status: number;
  /** Text is sent without secrets. */
  readonly body: string | Uint8Array;
  /** Default: plain text. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/metrics` */
  readonly path: string;
  /** `anyone`: answered without the token too. Default: `token`. */
  readonly access?: 'token' | 'anyone';
  /** A rejection is answered with 500 and its message, and reported as a warning. */
  handle(asked: Asked): Answer | Promise<Answer>;
}

export interface RunServerOptions extends Place {
  readonly token?: string | undefined;
  readonly warn: (message: string) => void;
}

/** A connection on which nothing moves is closed after that, milliseconds. */
const idleMs = 15_000;

const limits = {
  connections: 32,
  ...{ headerMs: 5000, requestMs: 10_000, checkMs: 5000, idleMs },
  headerBytes: 8192,
};

/**
 * The HTTP server of a run: `--serve`. It answers what routes were added for, to requests with a
 * `Host` of this machine (on loopback), without a foreign `Origin`, and with the token if one is set.
 *
 * ```ts
 * const server = await RunServer.open({ host: '127.0.0.1', port: 9464, warn });
 * server.add({ method: 'POST', path: '/pause', handle: () => ({ status: 200, body: 'paused\n' }) });
 * ```
 */
export class RunServer {
  readonly #options: RunServerOptions;
  readonly #server: BoundedServer;
  readonly #routes: Route[] = [];
  #address = '';

  private constructor(options: RunServerOptions) {
    this.#options = options;
    this.#server = new BoundedServer(
      limits,
      (request, response) => void this.#respond(request, response),
    );
  }

  /** @throws DepthlineError `SERVE` if the port is taken or the host is not of this machine */
  static async open(options: RunServerOptions): Promise<RunServer> {
    const server = new RunServer(options);
    const place = { code: 'SERVE', at: 'serve' } as const;
    server.#address = await server.#server.listen(options, place, options.warn);
    return server;
  }

  /** With the port that was taken: `http://127.0.0.1:9464/`. */
  get address(): string {
    return this.#address;
  }

  /** Answers this method and path from now on. HEAD is answered like GET, without the body. */
  add(route: Route): void {
    this.#routes.push(route);
  }

  /** Answers the requests that have arrived, then closes. */
  close(): Promise<void> {
    return this.#server.close();
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {});
    response.on('error', () => {});
    const answer = await this.#answer(request, response);
    if (response.destroyed) return;
    const { status, type = 'text/plain; charset=utf-8' } = answer;
    const body = typeof answer.body === 'string' ? mask(answer.body) : answer.body;
    response.writeHead(status, {
      ...answer.headers,
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const foreign =
      hostProblem(request, this.#options.host) ??
      (request.headers.origin === undefined ? undefined : originProblem(request));
    if (foreign !== undefined) return text(403, foreign);
    const [path, query] = (request.url ?? '').split('?', 2) as [string, string | undefined];
    const atPath = this.#routes.filter((route) => route.path === path);
    if (atPath.length === 0) return text(404, `there is no ${path}; see ${this.#paths()}`);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = atPath.find((one) => one.method === method);
    if (!route) {
      const allowed = atPath.map((one) => one.method).join(', ');
      response.setHeader('Allow', allowed);
      return text(405, `${path} takes ${allowed}`);
    }
    const trusted = this.#hasToken(request);
    if (!trusted && route.access !== 'anyone') {
      response.setHeader('WWW-Authenticate', 'Bearer');
      return text(401, 'needs the token: "Authorization: Bearer TOKEN"');
    }
    const body = await readBody(request).catch(() => 'incomplete' as const);
    if (body === 'incomplete') return text(400, 'the request ended before its body');
    if (body === undefined) {
      response.setHeader('Connection', 'close');
      return text(413, 'the body is longer than 64 KiB');
    }
    // The client waits for the answer, however long that takes.
    request.socket.setTimeout(0);
    try {
      return await route.handle({ query: new URLSearchParams(query), body, trusted });
    } catch (error) {
      this.#options.warn(`${path}: ${reason(error)}`);
      return text(500, reason(error));
    } finally {
      request.socket.setTimeout(idleMs);
    }
  }

  #hasToken({ headers }: IncomingMessage): boolean {
    const { token } = this.#options;
    if (token === undefined) return true;
    const [, given] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    return given !== undefined && isSecret(given, token);
  }

  #paths(): string {
    return [...new Set(this.#routes.map(({ path }) => path))].join(', ');
  }
}

function text(status: number, message: string): Answer {
  return { status, body: `${message}\n` };
}
