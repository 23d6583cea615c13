// A thread that does nothing but run a model: the limit that a pipeline is compared with. Plain
// JavaScript, because a worker thread starts without a TypeScript loader.

import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';

const { path, input, output, threads } = workerData;
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
});
const picture = new Uint8Array(input.width * input.height * 3);
for (let i = 0; i < picture.length; i++) picture[i] = (i * 7919) >> 3;
const feeds = { [input.name]: new ort.Tensor('uint8', picture, [1, input.height, input.width, 3]) };
const { dims } = (await session.run(feeds))[output.name];
const depth = new Float32Array(dims.reduce((product, side) => product * side, 1));
const fetches = { [output.name]: new ort.Tensor('float32', depth, dims) };

parentPort.on('message', async (seconds) => {
  const start = performance.now();
  let runs = 0;
  let now = start;
  while (now - start < seconds * 1000) {
    await session.run(feeds, fetches);
    runs++;
    now = performance.now();
  }
  parentPort.postMessage({ runs, ms: now - start });
});
parentPort.postMessage('ready');
