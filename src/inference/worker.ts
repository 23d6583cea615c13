import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { reason } from '../core/errors.ts';
import { describeModel, manifestProblem } from './model-contract.ts';
import type { Request, Response, WorkerSetup } from './protocol.ts';
import { dropAlpha, isPlainInput, prepareInput, toMetres } from './tensors.ts';

// onnxruntime-node's run() blocks the thread that calls it; this is that thread.

const { path, manifest, threads, providers } = workerData as WorkerSetup;
const port = parentPort as NonNullable<typeof parentPort>;
const { input, output } = manifest;
const inputShape =
  input.layout === 'NHWC' ? [1, input.height, input.width, 3] : [1, 3, input.height, input.width];

// What ONNX Runtime would print on stderr is in the error that it throws.
ort.env.logLevel = 'fatal';
const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionProviders: [...providers],
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
});
const description = describeModel(session);
let problem = manifestProblem(session, manifest);

const pixels = input.width * input.height;
/** The model's input where it is not the picture's own bytes; used for one run at a time. */
const prepared = isPlainInput(input)
  ? undefined
  : input.dtype === 'uint8'
    ? new Uint8Array(pixels * 3)
    : new Float32Array(pixels * 3);

// The first run shows the output's real shape, and makes the first frame as fast as the others.
const shape = problem === undefined ? await outputShape() : [];
const [height, width] = shape.filter((size) => size !== 1) as [number, number];
post({ type: 'ready', description, problem });

let last: Promise<void> = Promise.resolve();
port.on('message', (request: Request) => {
  // One at a time: a run starts some event-loop turns after it is asked for, and shares its input.
  last = last.then(() => (request.type === 'close' ? close() : infer(request)));
});

async function infer({ id, pixels, alpha }: Extract<Request, { type: 'infer' }>): Promise<void> {
  const start = performance.now();
  try {
    // ONNX Runtime writes into this array, which then leaves the thread without being copied.
    const depth = new Float32Array(height * width);
    await run(alpha ? dropAlpha(new Uint8Array(pixels)) : new Uint8Array(pixels), {
      [output.name]: new ort.Tensor('float32', depth, shape),
    });
    toMetres(depth, output);
    const ms = performance.now() - start;
    const transfer = [depth.buffer, pixels];
    post({ type: 'depth', id, depth: depth.buffer, width, height, ms, pixels }, transfer);
  } catch (error) {
    post({ type: 'failed', id, message: reason(error), pixels }, [pixels]);
  }
}

async function run(
  rgb: Uint8Array,
  fetches: ort.InferenceSession.FetchesType,
): Promise<ort.InferenceSession.ReturnType> {
  if (prepared) prepareInput(rgb, input, prepared);
  const tensor = new ort.Tensor(input.dtype, prepared ?? rgb, inputShape);
  return session.run({ [input.name]: tensor }, fetches);
}

/** What comes out of a black picture: height and width, with ones before or after them. */
async function outputShape(): Promise<readonly number[]> {
  const results = await run(new Uint8Array(pixels * 3), [output.name]);
  const { type, dims } = results[output.name] as ort.Tensor;
  const sides = dims.filter((size) => size !== 1);
  if (type === 'float32' && sides.length === 2) return dims;
  problem = `the manifest says that the output "${output.name}" is one float32 picture, and it is ${type} [${dims.join(', ')}]`;
  return [];
}

async function close(): Promise<void> {
  await session.release();
  port.close();
}

function post(response: Response, transfer: ArrayBuffer[] = []): void {
  port.postMessage(response, transfer);
}
