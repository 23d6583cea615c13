import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { HttpHandler, HttpServer } from '@foxglove/xmlrpc';
import { BoundedServer } from '../http/bounded-server.ts';

/** Calls of the master and of other nodes are small, bytes. */
const longestBody = 1024 * 1024;
const requestMs = 10_000;
const limits = {
  connections: 64,
  ...{ headerMs: requestMs, checkMs: requestMs / 2, idleMs: 2 * requestMs },
};

/** The HTTP server of a node's XML-RPC calls, for the library, with limits. */
export class NodeApiServer implements HttpServer {
  handler: HttpHandler = async () => ({ statusCode: 404 });
  readonly #host: string | undefined;
  readonly #server: Server;

  /** @param host nothing: every network */
  constructor(host: string | undefined) {
    this.#host = host;
    this.#server = new BoundedServer(limits, (request, response) => {
      this.#respond(request, response).catch(() => response.destroy());
    }).http;
  }

  url(): string | undefined {
    const port = this.port();
    return port === undefined ? undefined : `http://${this.#host ?? '[::]'}:${port}/`;
  }

  port(): number | undefined {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? undefined : address.port;
  }

  listen(port?: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, this.#host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => {});
        resolve();
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > longestBody) {
        response.writeHead(413, { Connection: 'close' }).end();
        return;
      }
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks).toString();
    const answer = await this.handler({ ...request, body } as never).catch(() => ({
      statusCode: 500,
      headers: {},
      body: '',
    }));
    response.writeHead(answer.statusCode, { ...answer.headers });
    response.end(answer.body);
  }
}
