import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { sessionOptions } from '../inference/session-settings.ts';
import type { BareSetup } from './bare-model.ts';

// A thread that only runs a model: the limit that a pipeline is compared with.

const { path, input, output, threads, providers, session: settings } = workerData as BareSetup;
const port = parentPort as NonNullable<typeof parentPort>;
ort.env.logLevel = 'fatal';
const options = sessionOptions(settings, threads, providers);
const session = await ort.InferenceSession.create(path, options);
const length = input.width * input.height * 3;
const picture = input.dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
for (let i = 0; i < length; i++) {
  const byte = ((i * 7919) >> 3) & 255;
  picture[i] = input.dtype === 'uint8' ? byte : byte / 255;
}
const sides = [input.height, input.width];
const shape = input.layout === 'NHWC' ? [1, ...sides, 3] : [1, 3, ...sides];
const feeds = { [input.name]: new ort.Tensor(input.dtype, picture, shape) };
const { dims } = (await session.run(feeds))[output.name] as ort.Tensor;
const depth = new Float32Array(dims.reduce((product, side) => product * side, 1));
const fetches = { [output.name]: new ort.Tensor('float32', depth, dims) };

port.on('message', async (seconds: number) => {
  const start = performance.now();
  let runs = 0;
  let now = start;
  while (now - start < seconds * 1000) {
    await session.run(feeds, fetches);
    runs++;
    now = performance.now();
  }
  port.postMessage({ runs, ms: now - start });
});
port.postMessage('ready');
