import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/**
 * An inference server without a network, by the published Open Inference Protocol: depth is a hundredth of red. The
 * first byte of a picture may be an order.
 */
export class KServeServer {
  /** What it says of its model, in place of what fits. */
  metadata: Record<string, unknown> = {};
  /** How it answers pictures: with the binary extension, in JSON, or in float16. */
  answers: 'binary' | 'json' | 'half' = 'binary';
  /** The Authorization header that it demands. */
  authorization: string | undefined;
  /** Called before each answer to a picture. */
  onPicture: () => void | Promise<void> = () => {};
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[] = [];
  /** Pictures in progress now, and the most there were. */
  inProgress = 0;
  most = 0;
  port = 0;
  readonly #tls: { readonly key: string; readonly cert: string } | undefined;
  #server: ReturnType<typeof createServer> | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(tls?: { readonly key: string; readonly cert: string }) {
    this.#tls = tls;
  }

  get url(): string {
    return `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Listens, on the port of the last time if there was one. */
  async start(): Promise<this> {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch(() => response.destroy());
    };
    this.#server = this.#tls ? createTlsServer(this.#tls, handle) : createServer(handle);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Closes connections that are open, as a proxy does that closes idle ones. */
  closeConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const { authorization } = request.headers;
    this.requests.push({ path, authorization });
    const body = await bodyOf(request);
    if (this.authorization !== undefined && authorization !== this.authorization) {
      return fail(response, 401, 'unauthorized');
    }
    if (path === '/v2/models/metres') return json(response, { ...model, ...this.metadata });
    if (path !== '/v2/models/metres/infer') {
      return fail(response, 404, `Request for unknown model: '${path}' is not found`);
    }
    this.most = Math.max(this.most, ++this.inProgress);
    try {
      await this.onPicture();
      await this.#infer(request, body, response);
    } finally {
      this.inProgress--;
    }
  }

  async #infer(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const length = Number(request.headers['inference-header-content-length']);
    const asked = JSON.parse(body.subarray(0, length).toString());
    const [input] = asked.inputs;
    const [, height, width] = input.shape;
    const rgb = body.subarray(length, length + input.parameters.binary_data_size);
    if (input.datatype !== 'UINT8' || rgb.length !== width * height * 3) {
      return fail(response, 400, 'the input does not fit');
    }
    const depth = Float32Array.from(
      { length: width * height },
      (_, at) => (rgb[at * 3] ?? 0) / 100,
    );
    const wrong = orders[rgb[0] ?? 0];
    if (wrong) return wrong(response, depth);
    const output = { name: asked.outputs[0].name, datatype: 'FP32', shape: [1, height, width, 1] };
    if (this.answers === 'json')
      return json(response, { outputs: [{ ...output, data: [...depth] }] });
    if (this.answers === 'half') {
      const halves = Uint16Array.from(depth, (value) => (value === 0.5 ? 0x3800 : 0));
      return binary(response, { ...output, datatype: 'FP16' }, new Uint8Array(halves.buffer));
    }
    binary(response, output, new Uint8Array(depth.buffer));
  }
}

const model = {
  name: 'metres',
  versions: ['1'],
  platform: 'onnxruntime_onnx',
  inputs: [{ name: 'picture', datatype: 'UINT8', shape: [-1, 6, 8, 3] }],
  outputs: [{ name: 'depth', datatype: 'FP32', shape: [-1, 6, 8, 1] }],
};

const output = { name: 'depth', datatype: 'FP32', shape: [1, 6, 8, 1] };

/** What goes wrong, by the first byte of the picture. */
const orders: Readonly<Record<number, (response: ServerResponse, depth: Float32Array) => void>> = {
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
    binary(
      response,
      { ...output, shape: [1, 3, 4, 1] },
      new Uint8Array(depth.buffer.slice(0, 48) as ArrayBuffer),
    ),
  247: (response) => json(response, { outputs: [{ ...output, name: 'other', data: [] }] }),
  248: (response) => fail(response, 400, 'it is too dark'),
  249: (response, depth) =>
    binary(response, output, new Uint8Array(depth.buffer as ArrayBuffer, 0, 100)),
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
