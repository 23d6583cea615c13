import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor } from 'onnxruntime-node';
import { createSession } from '../inference/engines/create-session.ts';
import { loadRuntime } from '../inference/engines/load-runtime.ts';
import { withOptions } from '../inference/engines/provider-options.ts';
import { float16Bits, hideFloat16Array } from '../inference/float16.ts';
import { nativeState } from '../inference/native-guard.ts';
import { sessionOptions } from '../inference/session-settings.ts';
import type { BareSetup } from './bare-model.ts';

// A thread that only runs a model: the limit that a pipeline is compared with.

const setup = workerData as BareSetup;
const { input, output, batch, engine, stopped } = setup;
const port = parentPort as NonNullable<typeof parentPort>;
const ort = await loadRuntime(engine?.binding);
ort.env.logLevel = 'fatal';
hideFloat16Array();
// The providers that a pipeline would use. The thread ends while it runs nothing: no exit has to wait for it.
const first = createSession(ort, { ...setup, ...engine, native: nativeState() });
first.session.release();
const used = first.providers.map((name) => withOptions(name, engine?.options));
const options = sessionOptions(setup.session, setup.threads, used);
const session = await ort.InferenceSession.create(setup.path, options);
const length = batch * input.width * input.height * 3;
const arrays = { uint8: Uint8Array, float32: Float32Array, float16: Uint16Array } as const;
const elements = {
  uint8: (byte: number) => byte,
  float32: (byte: number) => byte / 255,
  float16: (byte: number) => float16Bits(byte / 255),
} as const;
const element = elements[input.dtype];
const picture = new arrays[input.dtype](length);
for (let i = 0; i < length; i++) picture[i] = element(((i * 7919) >> 3) & 255);
const sides = [input.height, input.width];
const shape = input.layout === 'NHWC' ? [batch, ...sides, 3] : [batch, 3, ...sides];
const feeds = { [input.name]: new ort.Tensor(input.dtype, picture, shape) };
const { dims, type } = (await session.run(feeds))[output.name] as Tensor;
const size = dims.reduce((product, side) => product * side, 1);
const depth = type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
const fetches = { [output.name]: new ort.Tensor(type, depth, dims) };

let busy = false;
let closing = false;
const end = () => {
  if (closing && !busy) process.exit();
};
port.on('message', async (asked: number | 'close') => {
  if (asked === 'close') {
    closing = true;
    end();
    return;
  }
  busy = true;
  const start = performance.now();
  let runs = 0;
  let now = start;
  while (now - start < asked * 1000 && Atomics.load(stopped, 0) === 0) {
    await session.run(feeds, fetches);
    runs += batch;
    now = performance.now();
  }
  port.postMessage({ runs, ms: now - start });
  busy = false;
  end();
});
port.postMessage('ready');
