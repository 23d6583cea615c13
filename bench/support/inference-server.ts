// An inference server of the Open Inference Protocol on ONNX Runtime, for measurements: one model after the other, one
// thread. It ends when its standard input does. Arguments: name=path of each model; prints its port.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const models = new Map<string, InferenceSession>();
for (const argument of process.argv.slice(2)) {
  const [name, path] = argument.split('=') as [string, string];
  models.set(name, await InferenceSession.create(path, { intraOpNumThreads: 1 }));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => fail(response, 500, String(error)));
});
server.listen(0, '127.0.0.1', () => {
  console.log(String((server.address() as AddressInfo).port));
});
process.stdin.resume().on('end', () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, name = '', infer] = /^\/v2\/models\/([^/]+)(\/infer)?$/.exec(request.url ?? '') ?? [];
  const model = models.get(name);
  if (!model) return fail(response, 404, `there is no model "${name}"`);
  if (infer === undefined) return describe(response, name, model);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const length = Number(request.headers['inference-header-content-length']);
  const [input] = JSON.parse(body.subarray(0, length).toString()).inputs;
  const tensor = new Tensor('uint8', new Uint8Array(body.subarray(length)), input.shape);
  const [output = ''] = model.outputNames;
  const depth = (await model.run({ [input.name]: tensor }))[output] as Tensor;
  const data = depth.data as Float32Array;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const parameters = { binary_data_size: bytes.length };
  const outputs = [{ name: output, datatype: 'FP32', shape: depth.dims, parameters }];
  const head = Buffer.from(JSON.stringify({ model_name: name, outputs }));
  response.writeHead(200, {
    'inference-header-content-length': head.length,
    'content-length': head.length + bytes.length,
  });
  response.write(head);
  response.end(bytes);
}

function describe(response: ServerResponse, name: string, model: InferenceSession): void {
  const tensors = (all: readonly InferenceSession.ValueMetadata[]) =>
    all.map((one) => {
      if (!one.isTensor) throw new Error(`"${one.name}" is no tensor`);
      const shape = one.shape.map((size) => (typeof size === 'number' ? size : -1));
      return { name: one.name, datatype: one.type === 'uint8' ? 'UINT8' : 'FP32', shape };
    });
  const [inputs, outputs] = [tensors(model.inputMetadata), tensors(model.outputMetadata)];
  response.end(JSON.stringify({ name, platform: 'onnxruntime', inputs, outputs }));
}

function fail(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status).end(JSON.stringify({ error }));
}
