import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { reason } from '../core/errors.ts';
import { FrameReader } from '../stream/frame-reader.ts';
import { SharedStream } from '../stream/shared-stream.ts';
import { fromFloat16, hideFloat16Array } from './float16.ts';
import {
  describeModel,
  type FloatType,
  isFloatType,
  manifestProblem,
  unsupportedModel,
} from './model-contract.ts';
import { native } from './native-guard.ts';
import type { Request, Response, StreamSetup, WorkerSetup } from './protocol.ts';
import { sessionOptions } from './session-settings.ts';
import { Slot, slotMemory } from './slot.ts';
import { dropAlpha, isPlainInput, prepareInput, toMetres } from './tensors.ts';
import { inferenceThread, nameThread } from './thread-name.ts';

// onnxruntime-node's run() blocks the thread that calls it; this is that thread.

const {
  path,
  manifest,
  raw,
  threads,
  providers,
  session: settings,
  native: state,
} = workerData as WorkerSetup;
const port = parentPort as NonNullable<typeof parentPort>;
const { input, output } = manifest;
const inputShape =
  input.layout === 'NHWC' ? [1, input.height, input.width, 3] : [1, 3, input.height, input.width];

nameThread(inferenceThread);
hideFloat16Array();
// ONNX Runtime throws what it would print on stderr.
ort.env.logLevel = 'fatal';
const options = sessionOptions(settings, threads, providers);
const session = await native(state, () => ort.InferenceSession.create(path, options));
const description = describeModel(session);
const unsupported = unsupportedModel(session);
let problem = unsupported ?? manifestProblem(session, manifest);

/** One picture in progress, and one that waits so that the worker does not idle. */
const slotCount = 2;
const pixels = input.width * input.height;
/** The model's input, unless it is the picture's own bytes; used by one run at a time. */
const prepared = isPlainInput(input)
  ? undefined
  : input.dtype === 'uint8'
    ? new Uint8Array(pixels * 3)
    : input.dtype === 'float16'
      ? new Uint16Array(pixels * 3)
      : new Float32Array(pixels * 3);

// The first run shows the output's real shape, and warms the session up.
const { type: outputType, shape } = await firstOutput();
const [height = 0, width = 0] = shape.filter((size) => size !== 1);
/** ONNX Runtime does not accept shared memory. */
const picture = new Uint8Array(pixels * 3);
const depth = new Float32Array(height * width);
/** The bits of a float16 output, which become `depth`. */
const halves = outputType === 'float16' ? new Uint16Array(depth.length) : undefined;
const fetches = {
  [output.name]: new ort.Tensor(outputType, halves ?? depth, problem === undefined ? shape : [0]),
};

const slots = Array.from({ length: slotCount }, () => slotMemory(pixels, depth.length));
const shared = slots.map((memory) => new Slot(memory));
post({ type: 'ready', description, unsupported, problem, slots, width, height });

let last: Promise<void> = Promise.resolve();
let closing = false;
port.on('message', (request: Request) => {
  if (request.type === 'close') closing = true;
  // One at a time: a run starts some event-loop turns after its request, and runs share one input.
  last = last.then(() => work(request));
});

function work(request: Request): Promise<void> {
  if (request.type === 'close') return close();
  return request.type === 'follow' ? follow(request) : infer(request);
}

/** Reads frames of a stream and runs the model on them in place, until the stream ends. */
async function follow(setup: StreamSetup): Promise<void> {
  const { thread, stream: number, descriptor, pictureUsed } = setup;
  const stream = new SharedStream(setup.memory);
  const reader = new FrameReader(() => picture);
  for (let n = 0; ; n++) {
    const index = n % slotCount;
    const slot = shared[index] as Slot;
    slot.waitUntilFree();
    const taken = stream.take(thread, descriptor, reader);
    if (!('seq' in taken)) {
      post({ type: 'left', stream: number, ...taken });
      return;
    }
    slot.begin({ ...taken, stream: number });
    const start = performance.now();
    let failure: string | undefined;
    try {
      if (pictureUsed) slot.pixels.set(picture);
      await estimate(slot);
    } catch (error) {
      failure = reason(error);
    }
    slot.finish(performance.now() - start);
    post({ type: 'frame', stream: number, slot: index, ...(failure !== undefined && { failure }) });
  }
}

async function infer({ slot, alpha }: Extract<Request, { type: 'infer' }>): Promise<void> {
  if (closing) return;
  const start = performance.now();
  try {
    const memory = shared[slot] as Slot;
    if (alpha) dropAlpha(memory.pixels, picture);
    else picture.set(memory.pixels.subarray(0, picture.length));
    await estimate(memory);
    post({ type: 'depth', slot, ms: performance.now() - start });
  } catch (error) {
    post({ type: 'failed', slot, message: reason(error) });
  }
}

/** Depth of `picture`, into a slot. */
async function estimate(slot: Slot): Promise<void> {
  await run(picture, fetches);
  if (halves) fromFloat16(halves, depth);
  if (!raw) toMetres(depth, output);
  slot.depth.set(depth);
}

async function run(
  rgb: Uint8Array,
  fetches: ort.InferenceSession.FetchesType,
): Promise<ort.InferenceSession.ReturnType> {
  if (prepared) prepareInput(rgb, input, prepared);
  const tensor = new ort.Tensor(input.dtype, prepared ?? rgb, inputShape);
  return native(state, () => session.run({ [input.name]: tensor }, fetches));
}

/** Type and shape of the output for a black picture: height and width, among dimensions of 1. */
async function firstOutput(): Promise<{ type: FloatType; shape: readonly number[] }> {
  const none = { type: 'float32', shape: [] } as const;
  if (problem !== undefined) return none;
  const results = await run(new Uint8Array(pixels * 3), [output.name]);
  const { type, dims } = results[output.name] as ort.Tensor;
  const sides = dims.filter((size) => size !== 1);
  if (isFloatType(type) && sides.length === 2) return { type, shape: dims };
  problem = `the output "${output.name}" must be one float32 or float16 picture, and is ${type} [${dims.join(', ')}]`;
  return none;
}

async function close(): Promise<void> {
  await native(state, () => session.release());
  port.close();
}

function post(response: Response): void {
  port.postMessage(response);
}
