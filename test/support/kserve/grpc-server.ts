import { createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { depthOf, halvesOf, InferenceServer, output, type Tensor } from './inference-server.ts';

const file = fileURLToPath(new URL('../../../engines/kserve/inference.proto', import.meta.url));
const service = loadSync(file, { keepCase: true, longs: Number, defaults: true })[
  'inference.GRPCInferenceService'
] as ServiceDefinition & Record<string, MethodDefinition<unknown, unknown>>;

interface InferRequest {
  readonly model_name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_input_contents: readonly Uint8Array[];
}

/**
 * The published Open Inference Protocol over gRPC: HTTP/2 with messages behind five bytes each, and the status in the
 * trailers. Not a server of a library, so that every answer can be wrong.
 */
export class GrpcInferenceServer extends InferenceServer {
  override get url(): string {
    return `${this.certificate ? 'grpcs' : 'grpc'}://127.0.0.1:${this.port}`;
  }

  protected override create(): Server {
    const server = this.certificate ? createSecureServer(this.certificate) : createServer();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      stream.on('error', () => {});
      this.#handle(stream, String(headers[':path']), headers.authorization).catch(() =>
        stream.destroy(),
      );
    });
    return server as Server;
  }

  async #handle(
    stream: ServerHttp2Stream,
    path: string,
    authorization: string | undefined,
  ): Promise<void> {
    const body = await messageOf(stream);
    if (this.authorization !== undefined && authorization !== this.authorization) {
      return fail(stream, status.UNAUTHENTICATED, 'unauthorized');
    }
    if (path === service.ModelMetadata?.path) {
      const { name } = service.ModelMetadata.requestDeserialize(body) as { name: string };
      if (name === this.model.name) return answer(stream, 'ModelMetadata', this.model);
      return fail(stream, status.NOT_FOUND, `Request for unknown model: '${name}' is not found`);
    }
    if (path !== service.ModelInfer?.path) return fail(stream, status.UNIMPLEMENTED, path);
    const request = service.ModelInfer.requestDeserialize(body) as InferRequest;
    await this.counted(() => this.#infer(stream, request));
  }

  async #infer(stream: ServerHttp2Stream, request: InferRequest): Promise<void> {
    const [input] = request.inputs;
    const [rgb] = request.raw_input_contents;
    const depth = input && rgb && depthOf(input, rgb);
    if (!depth) return fail(stream, status.INVALID_ARGUMENT, 'the input does not fit');
    const wrong = orders[rgb[0] ?? 0];
    if (wrong) return wrong(stream, depth);
    const wanted = { ...output, name: request.outputs[0]?.name };
    if (this.answers === 'numbers') {
      const contents = { fp32_contents: [...depth] };
      return answer(stream, 'ModelInfer', { outputs: [{ ...wanted, contents }] });
    }
    if (this.answers === 'half') {
      const outputs = [{ ...wanted, datatype: 'FP16' }];
      return answer(stream, 'ModelInfer', { outputs, raw_output_contents: [halvesOf(depth)] });
    }
    answer(stream, 'ModelInfer', raw(wanted, new Uint8Array(depth.buffer)));
  }
}

type Order = (stream: ServerHttp2Stream, depth: Float32Array<ArrayBuffer>) => void;

/** What goes wrong, by the first byte of the picture: the same as over HTTP. */
const orders: Readonly<Record<number, Order>> = {
  240: (stream) => stream.session?.destroy(),
  241: (stream) => fail(stream, status.INTERNAL, 'out of memory'),
  242: () => {
    // No answer at all.
  },
  243: (stream) => {
    begin(stream);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(100_000_000, 1);
    stream.write(head);
  },
  244: (stream) => succeed(stream, Buffer.from('<html>It works!</html>')),
  245: (stream) => {
    begin(stream);
    stream.write(framed(Buffer.alloc(500)).subarray(0, 100), () => stream.session?.destroy());
  },
  246: (stream, depth) => {
    const small = raw({ ...output, shape: [1, 3, 4, 1] }, new Uint8Array(depth.buffer, 0, 48));
    answer(stream, 'ModelInfer', small);
  },
  247: (stream) => answer(stream, 'ModelInfer', raw({ ...output, name: 'other' }, Buffer.alloc(4))),
  248: (stream) => fail(stream, status.INVALID_ARGUMENT, 'it is too dark'),
  249: (stream, depth) =>
    answer(stream, 'ModelInfer', raw(output, new Uint8Array(depth.buffer, 0, 100))),
  250: (stream) => fail(stream, status.UNAVAILABLE, 'the model is being loaded'),
};

function raw(output: object, bytes: Uint8Array): object {
  return { outputs: [output], raw_output_contents: [bytes] };
}

function answer(stream: ServerHttp2Stream, method: string, message: object): void {
  succeed(
    stream,
    (service[method] as MethodDefinition<unknown, unknown>).responseSerialize(message),
  );
}

function succeed(stream: ServerHttp2Stream, message: Buffer): void {
  begin(stream);
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status.OK }));
  stream.end(framed(message));
}

function begin(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
}

function fail(stream: ServerHttp2Stream, code: status, message: string): void {
  const trailers = { 'grpc-status': code, 'grpc-message': encodeURIComponent(message) };
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...trailers },
    { endStream: true },
  );
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function messageOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).subarray(5);
}
