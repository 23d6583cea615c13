import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import { depthOf, halvesOf, InferenceServer, output } from './inference-server.ts';

/** The published Open Inference Protocol over HTTP, with the binary tensor extension. */
export class HttpInferenceServer extends InferenceServer {
  override get url(): string {
    return `${this.certificate ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  protected override create(): Server {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch(() => response.destroy());
    };
    return this.certificate ? createTlsServer(this.certificate, handle) : createServer(handle);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await bodyOf(request);
    if (this.authorization !== undefined && request.headers.authorization !== this.authorization) {
      // Some servers say what they were given, and messages have room for the beginning of that.
      const given = request.headers.authorization ?? '';
      return fail(response, 401, `${'unauthorized: '.padEnd(286, 'no ')}${given}`);
    }
    if (path === '/v2/models/metres') return json(response, this.model);
    if (path !== '/v2/models/metres/infer') {
      return fail(response, 404, `Request for unknown model: '${path}' is not found`);
    }
    await this.counted(() => this.#infer(request, body, response));
  }

  async #infer(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const length = Number(request.headers['inference-header-content-length']);
    const asked = JSON.parse(body.subarray(0, length).toString());
    const [input] = asked.inputs;
    const rgb = body.subarray(length, length + input.parameters.binary_data_size);
    const depth = depthOf(input, rgb);
    if (!depth) return fail(response, 400, 'the input does not fit');
    const wrong = orders[rgb[0] ?? 0];
    if (wrong) return wrong(response, depth);
    const [{ name }] = asked.outputs;
    if (this.answers === 'numbers')
      return json(response, { outputs: [{ ...output, name, data: [...depth] }] });
    if (this.answers === 'half')
      return binary(response, { ...output, name, datatype: 'FP16' }, halvesOf(depth));
    binary(response, { ...output, name }, new Uint8Array(depth.buffer));
  }
}

type Order = (response: ServerResponse, depth: Float32Array<ArrayBuffer>) => void;

/** What goes wrong, by the first byte of the picture. */
const orders: Readonly<Record<number, Order>> = {
  240: (response) => response.destroy(),
  241: (response) => fail(response, 500, 'out of memory'),
  242: () => {
    // No answer at all.
  },
  243: (response) => {
    response.writeHead(200, { 'inference-header-content-length': 2 });
    response.end(Buffer.alloc(300_000));
  },
  244: (response) => {
    response.writeHead(200);
    response.end('<html>It works!</html>');
  },
  245: (response) => {
    response.writeHead(200, { 'content-length': 500, 'inference-header-content-length': 100 });
    response.write('{"outputs":', () => response.destroy());
  },
  246: (response, depth) =>
    binary(response, { ...output, shape: [1, 3, 4, 1] }, new Uint8Array(depth.buffer, 0, 48)),
  247: (response) => json(response, { outputs: [{ ...output, name: 'other', data: [] }] }),
  248: (response) => fail(response, 400, 'it is too dark'),
  249: (response, depth) => binary(response, output, new Uint8Array(depth.buffer, 0, 100)),
  250: (response) => fail(response, 503, 'the model is being loaded'),
};

function binary(response: ServerResponse, output: object, data: Uint8Array): void {
  const parameters = { binary_data_size: data.length };
  const head = Buffer.from(
    JSON.stringify({ model_name: 'metres', outputs: [{ ...output, parameters }] }),
  );
  response.writeHead(200, { 'inference-header-content-length': head.length });
  response.write(head);
  response.end(data);
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error }));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
