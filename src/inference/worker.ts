import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { reason } from '../core/errors.ts';
import type { Request, Response, WorkerSetup } from './protocol.ts';
import { dropAlpha, fillByteInput, fillFloatInput, isPlainInput, toMetres } from './tensors.ts';

// onnxruntime-node's run() blocks the thread that calls it; this is that thread.

const { path, manifest, threads, providers } = workerData as WorkerSetup;
const port = parentPort as NonNullable<typeof parentPort>;
const { input, output } = manifest;
const pixels = input.width * input.height;

const session = await ort.InferenceSession.create(path, {
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionProviders: [...providers],
  graphOptimizationLevel: 'all',
});
const description = describe();
const problem = mismatch();
const { dims, prepare } = inputBuffer();
post({ type: 'ready', description, problem });

port.on('message', (request: Request) => {
  void infer(request);
});

async function infer({ id, rgb, alpha }: Request): Promise<void> {
  const start = performance.now();
  try {
    const bytes = alpha ? dropAlpha(new Uint8Array(rgb)) : new Uint8Array(rgb);
    const tensor = new ort.Tensor(input.dtype, prepare(bytes), dims);
    const results = await session.run({ [input.name]: tensor });
    const result = results[output.name] as ort.Tensor;
    const shape = result.dims.filter(
      (size, index) => size !== 1 || index >= result.dims.length - 2,
    );
    const height = Number(shape[0]);
    const width = Number(shape[1]);
    const data = result.data;
    if (!(data instanceof Float32Array) || data.length !== width * height) {
      throw new Error(
        `output "${output.name}" is ${result.type} [${result.dims}], not one float32 depth picture`,
      );
    }
    // The binding owns the tensor's memory, so what leaves the thread is a copy of it.
    const depth = new Float32Array(data);
    toMetres(depth, output);
    const ms = performance.now() - start;
    post({ type: 'depth', id, depth: depth.buffer, width, height, ms, rgb }, [depth.buffer, rgb]);
  } catch (error) {
    post({ type: 'failed', id, message: reason(error) });
  }
}

function inputBuffer() {
  const shape =
    input.layout === 'NHWC' ? [1, input.height, input.width, 3] : [1, 3, input.height, input.width];
  if (isPlainInput(input)) return { dims: shape, prepare: (bytes: Uint8Array) => bytes };
  if (input.dtype === 'uint8') {
    const buffer = new Uint8Array(pixels * 3);
    return {
      dims: shape,
      prepare(bytes: Uint8Array) {
        fillByteInput(bytes, input, buffer);
        return buffer;
      },
    };
  }
  const buffer = new Float32Array(pixels * 3);
  return {
    dims: shape,
    prepare(bytes: Uint8Array) {
      fillFloatInput(bytes, input, buffer);
      return buffer;
    },
  };
}

function describe(): string {
  const line = (value: ort.InferenceSession.ValueMetadata) =>
    value.isTensor ? `${value.name}: ${value.type} [${value.shape.join(', ')}]` : value.name;
  return `inputs: ${session.inputMetadata.map(line).join('; ')}; outputs: ${session.outputMetadata.map(line).join('; ')}`;
}

/** What the manifest says that the model does not, or nothing. */
function mismatch(): string | undefined {
  const found = session.inputMetadata.find((value) => value.name === input.name);
  if (!found?.isTensor) return `the manifest names the input "${input.name}"`;
  if (found.type !== input.dtype) return `the manifest says that the input is ${input.dtype}`;
  const expected =
    input.layout === 'NHWC' ? [1, input.height, input.width, 3] : [1, 3, input.height, input.width];
  const fits =
    found.shape.length === 4 &&
    expected.every(
      (size, index) =>
        typeof found.shape[index] !== 'number' ||
        Number(found.shape[index]) === size ||
        Number(found.shape[index]) < 1,
    );
  if (!fits)
    return `the manifest says that the input is ${input.layout} ${input.width}×${input.height}`;
  if (!session.outputNames.includes(output.name))
    return `the manifest names the output "${output.name}"`;
  return undefined;
}

function post(response: Response, transfer: ArrayBuffer[] = []): void {
  port.postMessage(response, transfer);
}
