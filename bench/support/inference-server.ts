// An inference server of the Open Inference Protocol on ONNX Runtime, for measurements: one model after the other, one
// thread. It ends when its standard input does. Arguments: name=path of each model; prints its ports of HTTP and gRPC.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadService } from '../../src/inference/engines/kserve/grpc.ts';

const models = new Map<string, InferenceSession>();
for (const argument of process.argv.slice(2)) {
  const [name, path] = argument.split('=') as [string, string];
  models.set(name, await InferenceSession.create(path, { intraOpNumThreads: 1 }));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => fail(response, 500, String(error)));
});
const grpcServer = new Server();
grpcServer.addService((await loadService()) as unknown as ServiceDefinition, {
  ModelMetadata: unary<{ name: string }>(async ({ name }) => describe(name)),
  ModelInfer: unary<InferRequest>(async (request) => {
    const { model_name, inputs, raw_input_contents } = request;
    const [input, pixels] = [inputs[0], raw_input_contents[0]];
    if (!input || !pixels) throw new Error('one input is needed');
    const { name, shape, bytes } = await infer(model_name, input, pixels);
    return { outputs: [{ name, datatype: 'FP32', shape }], raw_output_contents: [bytes] };
  }),
});
const grpcPort = await new Promise<number>((resolve, reject) => {
  grpcServer.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
});
server.listen(0, '127.0.0.1', () => {
  console.log(`${(server.address() as AddressInfo).port} ${grpcPort}`);
});
process.stdin.resume().on('end', () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, name = '', asked] = /^\/v2\/models\/([^/]+)(\/infer)?$/.exec(request.url ?? '') ?? [];
  if (!models.has(name)) return fail(response, 404, `there is no model "${name}"`);
  if (asked === undefined) {
    response.end(JSON.stringify(describe(name)));
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const length = Number(request.headers['inference-header-content-length']);
  const [input] = JSON.parse(body.subarray(0, length).toString()).inputs;
  const { bytes, ...output } = await infer(name, input, body.subarray(length));
  const parameters = { binary_data_size: bytes.length };
  const outputs = [{ ...output, datatype: 'FP32', parameters }];
  const head = Buffer.from(JSON.stringify({ model_name: name, outputs }));
  response.writeHead(200, {
    'inference-header-content-length': head.length,
    'content-length': head.length + bytes.length,
  });
  response.write(head);
  response.end(bytes);
}

interface Input {
  readonly name: string;
  readonly shape: readonly number[];
}

interface InferRequest {
  readonly model_name: string;
  readonly inputs: readonly Input[];
  readonly raw_input_contents: readonly Uint8Array[];
}

async function infer(model: string, input: Input, pixels: Uint8Array) {
  const session = sessionOf(model);
  const tensor = new Tensor('uint8', new Uint8Array(pixels), input.shape);
  const [name = ''] = session.outputNames;
  const { data, dims: shape } = (await session.run({ [input.name]: tensor }))[name] as Tensor;
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return { name, shape, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}

function describe(name: string): object {
  const tensors = (all: readonly InferenceSession.ValueMetadata[]) =>
    all.map((one) => {
      if (!one.isTensor) throw new Error(`"${one.name}" is no tensor`);
      const shape = one.shape.map((size) => (typeof size === 'number' ? size : -1));
      return { name: one.name, datatype: one.type === 'uint8' ? 'UINT8' : 'FP32', shape };
    });
  const { inputMetadata, outputMetadata } = sessionOf(name);
  const [inputs, outputs] = [tensors(inputMetadata), tensors(outputMetadata)];
  return { name, platform: 'onnxruntime', inputs, outputs };
}

function sessionOf(name: string): InferenceSession {
  const model = models.get(name);
  if (!model) throw new Error(`there is no model "${name}"`);
  return model;
}

function unary<Request>(
  work: (request: Request) => Promise<object>,
): handleUnaryCall<Request, object> {
  return ({ request }, done) => {
    work(request).then(
      (answer) => done(null, answer),
      (error: unknown) => done({ code: status.NOT_FOUND, details: String(error) }),
    );
  };
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status).end(JSON.stringify({ error }));
}
