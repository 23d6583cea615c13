import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { noConnection } from './agreement.ts';
import { Late, NoAnswer, TooLong } from './failures.ts';
import type { TlsFiles } from './tls-files.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpOptions {
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly tls: TlsFiles;
  /** Aborts what is in progress. */
  readonly signal: AbortSignal;
}

export interface Exchange {
  readonly method: 'GET' | 'POST';
  /** Below the address of the server. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly parts?: readonly Uint8Array[];
  readonly deadlineMs: number;
  /** Longest answer, bytes. */
  readonly most: number;
}

/** One connection to an inference server, which is kept open between requests. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const kept = { keepAlive: true, maxSockets: 1 };
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ ...kept, ...options.tls })
        : new HttpAgent(kept);
  }

  /**
   * Sends a request, and reads the whole answer.
   *
   * @throws NoAnswer TooLong
   */
  async ask(exchange: Exchange): Promise<Answer> {
    for (let first = true; ; first = false) {
      const { request, answer } = this.#send(exchange);
      try {
        return await answer;
      } catch (error) {
        // The server had closed the idle connection: the request has not reached it.
        const { code = '' } = error as NodeJS.ErrnoException;
        const idle = request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
        if (first && idle) continue;
        if (error instanceof NoAnswer || error instanceof TooLong) throw error;
        throw noConnection((error as Error).message || code, 'http', code);
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method, path, headers, parts = [], deadlineMs, most }: Exchange) {
    const { authorization, signal } = this.#options;
    const { pathname } = this.#url;
    const send = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const request = send({
      host: this.#url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: this.#url.port,
      method,
      path: `${pathname.replace(/\/$/, '')}/${path}`,
      agent: this.#agent,
      signal,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(method === 'POST' && { 'content-length': length }),
        ...headers,
      },
    });
    const answer = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        const late = new Late(deadlineMs);
        reject(late);
        request.destroy(late);
      }, deadlineMs);
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          done(value);
        };
      request.on('error', settle(reject));
      request.on('response', (response) => {
        read(request, response, most).then(settle(resolve), settle(reject));
      });
    });
    request.cork();
    for (const part of parts) request.write(part);
    request.end();
    request.uncork();
    return { request, answer };
  }
}

/** A connection that ends within an answer ends the run of nobody: it is one that did not come. */
async function read(
  request: ClientRequest,
  response: IncomingMessage,
  most: number,
): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) {
      request.destroy();
      throw new TooLong(most);
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  const body = chunks.length === 1 && only ? only : Buffer.concat(chunks);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}
