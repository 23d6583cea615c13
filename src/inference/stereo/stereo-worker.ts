import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor } from 'onnxruntime-node';
import { reason } from '../../core/errors.ts';
import { type StereoGeometry, swapDisparity } from '../../depth/disparity.ts';
import { dropContradicted, dropHidden, mirrorRows } from '../../depth/visible.ts';
import { createSession } from '../engines/create-session.ts';
import { loadNativeRuntime } from '../engines/load-runtime.ts';
import { describeModel } from '../model-contract.ts';
import { native } from '../native-guard.ts';
import { inferenceThread, nameThread } from '../thread-name.ts';
import type { StereoRequest, StereoResponse, StereoWorkerSetup } from './protocol.ts';
import { stereoProblem } from './stereo-contract.ts';

// ONNX Runtime blocks the thread that calls it; this is that thread.

const setup = workerData as StereoWorkerSetup;
const { manifest, check, range, native: state } = setup;
const port = parentPort as NonNullable<typeof parentPort>;
const { input, output } = manifest;
const bytes = input.width * input.height * 3;
const shape = [1, input.height, input.width, 3];

nameThread(inferenceThread);
const ort = await loadNativeRuntime();
const { session, notes } = createSession(ort, setup);

const pixels = new Uint8Array(setup.pixels);
/** ONNX Runtime does not accept shared memory. */
const eyes = { left: new Uint8Array(bytes), right: new Uint8Array(bytes) };
const mirrored = { left: new Uint8Array(bytes), right: new Uint8Array(bytes) };

const problem = stereoProblem(session, manifest) ?? firstRunProblem();
if (problem !== undefined) {
  post({ type: 'unfit', problem, description: describeModel(session) });
  close();
} else {
  serve();
}

/** Why the output of two black pictures is not a disparity picture. */
function firstRunProblem(): string | undefined {
  const { dims } = run(eyes);
  if (dims.filter((size) => size !== 1).length === 2) return undefined;
  return `the output "${output.name}" must be one picture, and is [${dims.join(', ')}]`;
}

function serve(): void {
  const { dims } = run(eyes);
  const [height = 0, width = 0] = dims.filter((size) => size !== 1);
  const depth = new SharedArrayBuffer(width * height * Float32Array.BYTES_PER_ELEMENT);
  const result = new Float32Array(depth);
  port.on('message', (request: StereoRequest) => {
    if (request.type === 'close') return close();
    const start = performance.now();
    try {
      infer(request.geometry, { width, height }, result);
      post({ type: 'done', ms: performance.now() - start });
    } catch (error) {
      post({ type: 'failed', message: reason(error) });
    }
  });
  post({ type: 'ready', notes, depth, width, height });
}

function infer(
  geometry: StereoGeometry | undefined,
  { width, height }: { readonly width: number; readonly height: number },
  out: Float32Array,
): void {
  eyes.left.set(pixels.subarray(0, bytes));
  eyes.right.set(pixels.subarray(bytes));
  const scale = width / input.width;
  const found = inPixels(run(eyes).data as Float32Array, scale);
  if (check === 'hidden') dropHidden(found, width, height);
  if (check === 'left-right') {
    mirrorRows(eyes.right, mirrored.left, input.width, input.height);
    mirrorRows(eyes.left, mirrored.right, input.width, input.height);
    const back = inPixels(run(mirrored).data as Float32Array, scale);
    dropContradicted(found, back, width, height);
  }
  if (!geometry) {
    out.set(found);
    return;
  }
  const { fx, baseline, offset } = geometry;
  const metres = swapDisparity(
    found,
    { fx: fx * scale, baseline, offset: offset * scale },
    'depth',
  );
  const [near, far] = range;
  for (let i = 0; i < metres.length; i++) {
    const value = metres[i] as number;
    out[i] = value >= near && value <= far ? value : 0;
  }
}

/** Disparity in pixels of the output; 0 where the network says that there is none, or reaches its limit. */
function inPixels(values: Float32Array, scale: number): Float32Array {
  const limit = output.largest ?? Number.POSITIVE_INFINITY;
  return values.map((value) => (value > 0 && value < limit ? value * scale : 0));
}

function run({ left, right }: typeof eyes): Tensor {
  const feeds = {
    [input.left]: new ort.Tensor('uint8', left, shape),
    [input.right]: new ort.Tensor('uint8', right, shape),
  };
  return native(state, () => session.run(feeds, output.name));
}

function close(): void {
  native(state, () => session.release());
  port.close();
}

function post(response: StereoResponse): void {
  port.postMessage(response);
}
