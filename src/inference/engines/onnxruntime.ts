import type { Tensor } from 'onnxruntime-node';
import { DepthlineError } from '../../core/errors.ts';
import { fromFloat16, hideFloat16Array } from '../float16.ts';
import { freeNow } from '../free-now.ts';
import {
  batchProblem,
  describeModel,
  type FloatType,
  isFloatType,
  manifestProblem,
  misfit,
  unsupportedModel,
  unusable,
} from '../model-contract.ts';
import { native } from '../native-guard.ts';
import type { OnnxRuntimeChoice } from './choice.ts';
import { type CreatedSession, createSession } from './create-session.ts';
import type { DepthEngine, EngineSetup } from './engine.ts';
import { inputMaker, inputShape } from './input-tensor.ts';
import { loadNativeRuntime, type NativeRuntime } from './load-runtime.ts';
import type { NativeSession } from './native-session.ts';

/**
 * ONNX Runtime in this thread, by the native part of onnxruntime-node, which blocks the thread that calls it.
 *
 * @throws DepthlineError `MODEL` if the model does not fit its manifest
 */
export async function open(setup: EngineSetup): Promise<DepthEngine> {
  hideFloat16Array();
  const ort = await loadNativeRuntime((setup.engine as OnnxRuntimeChoice).binding);
  const { options } = setup.engine as OnnxRuntimeChoice;
  const created = createSession(ort, { ...setup, options });
  requireFit(created.session, setup);
  return start(ort, created, setup);
}

function requireFit(session: NativeSession, setup: EngineSetup): void {
  const { path, manifest, batch } = setup;
  const unsupported = unsupportedModel(session);
  const description = describeModel(session);
  if (unsupported !== undefined) {
    throw new DepthlineError('MODEL', unusable(path, unsupported, description));
  }
  const problem = manifestProblem(session, manifest);
  if (problem !== undefined) throw misfit(setup, problem, description);
  const single = batchProblem(session, manifest, batch);
  if (single !== undefined) throw new DepthlineError('MODEL', `${path} ${single}`);
}

/** The first run shows the output's real shape, and warms the session up. */
function start(
  ort: NativeRuntime,
  { session, providers, notes }: CreatedSession,
  setup: EngineSetup,
): DepthEngine {
  const { manifest, batch, native: state } = setup;
  const { input, output } = manifest;
  const length = input.width * input.height * 3;
  const prepare = inputMaker(input, batch);
  const run = (rgb: Uint8Array) => {
    const shape = inputShape(input, rgb.length / length);
    const feeds = { [input.name]: new ort.Tensor(input.dtype, prepare(rgb), shape) };
    return native(state, () => session.run(feeds, output.name));
  };
  const first = run(new Uint8Array(length));
  const { type, width, height } = outputSize(first, session, setup);
  if (batch > 1) requireEach(run(new Uint8Array(batch * length)), height * width, setup);
  const values = type === 'float16' ? fromHalves(batch * height * width) : fromFloats();
  return {
    width,
    height,
    notes,
    description: `ONNX Runtime ${ort.version}, ${providers.join(', ')}`,
    infer: (rgb) => values(run(rgb).data),
    close: async () => native(state, () => session.release()),
  };
}

type Output = (data: Tensor['data']) => Float32Array;

/** onnxruntime-node gives each output in new memory, also where it was given memory to write to. */
function fromFloats(): Output {
  let last: Float32Array<ArrayBuffer> | undefined;
  return (data) => {
    if (last) freeNow(last.buffer);
    last = data as Float32Array<ArrayBuffer>;
    return last;
  };
}

function fromHalves(length: number): Output {
  const floats = new Float32Array(length);
  return (data) => {
    const halves = data as Uint16Array<ArrayBuffer>;
    const out = floats.subarray(0, halves.length);
    fromFloat16(halves, out);
    freeNow(halves.buffer);
    return out;
  };
}

/** @throws DepthlineError `MODEL` unless the output has a picture for each of the input */
function requireEach({ dims, data }: Tensor, pixels: number, { path, batch }: EngineSetup): void {
  if (dims[0] === batch && data.length === batch * pixels) return;
  const message = `${path} gives [${dims.join(', ')}] for ${batch} pictures, and not a depth for each; set batch: 1`;
  throw new DepthlineError('MODEL', message);
}

/** Height and width of the output, among dimensions of 1. */
function outputSize(
  { type, dims }: Tensor,
  session: NativeSession,
  setup: EngineSetup,
): { type: FloatType; width: number; height: number } {
  const [height, width, ...others] = dims.filter((size) => size !== 1);
  if (isFloatType(type) && height && width && others.length === 0) return { type, width, height };
  const problem = `the output "${setup.manifest.output.name}" must be one float32 or float16 picture, and is ${type} [${dims.join(', ')}]`;
  throw misfit(setup, problem, describeModel(session));
}
