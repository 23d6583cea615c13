import * as ort from 'onnxruntime-node';
import { DepthlineError } from '../../core/errors.ts';
import { fromFloat16, hideFloat16Array } from '../float16.ts';
import {
  describeModel,
  type FloatType,
  isFloatType,
  manifestProblem,
  misfit,
  unsupportedModel,
  unusable,
} from '../model-contract.ts';
import { native } from '../native-guard.ts';
import { sessionOptions } from '../session-settings.ts';
import type { DepthEngine, EngineSetup } from './engine.ts';
import { inputMaker, inputShape } from './input-tensor.ts';

/**
 * ONNX Runtime in this thread, by onnxruntime-node, whose run() blocks the thread that calls it.
 *
 * @throws DepthlineError `MODEL` if the model does not fit its manifest
 */
export async function open(setup: EngineSetup): Promise<DepthEngine> {
  hideFloat16Array();
  // ONNX Runtime throws what it would print on stderr.
  ort.env.logLevel = 'fatal';
  const { path, session: settings, threads, providers, native: state } = setup;
  const options = sessionOptions(settings, threads, providers);
  const session = await native(state, () => ort.InferenceSession.create(path, options));
  requireFit(session, setup);
  return start(session, setup);
}

function requireFit(session: ort.InferenceSession, setup: EngineSetup): void {
  const { path, manifest } = setup;
  const unsupported = unsupportedModel(session);
  const description = describeModel(session);
  if (unsupported !== undefined) {
    throw new DepthlineError('MODEL', unusable(path, unsupported, description));
  }
  const problem = manifestProblem(session, manifest);
  if (problem !== undefined) throw misfit(setup, problem, description);
}

/** The first run shows the output's real shape, and warms the session up. */
async function start(session: ort.InferenceSession, setup: EngineSetup): Promise<DepthEngine> {
  const { manifest, providers, native: state } = setup;
  const { input, output } = manifest;
  const shape = inputShape(input);
  const prepare = inputMaker(input);
  const run = (rgb: Uint8Array, fetches: ort.InferenceSession.FetchesType) => {
    const tensor = new ort.Tensor(input.dtype, prepare(rgb), shape);
    return native(state, () => session.run({ [input.name]: tensor }, fetches));
  };
  const black = new Uint8Array(input.width * input.height * 3);
  const first = (await run(black, [output.name]))[output.name] as ort.Tensor;
  const { type, width, height } = outputSize(first, session, setup);
  const depth = new Float32Array(height * width);
  /** The bits of a float16 output, which become `depth`. */
  const halves = type === 'float16' ? new Uint16Array(depth.length) : undefined;
  const fetches = { [output.name]: new ort.Tensor(type, halves ?? depth, first.dims) };
  return {
    width,
    height,
    description: `ONNX Runtime ${ort.env.versions.node ?? ''}, ${providers.join(', ')}`,
    async infer(rgb) {
      await run(rgb, fetches);
      if (halves) fromFloat16(halves, depth);
      return depth;
    },
    close: () => native(state, () => session.release()),
  };
}

/** Height and width of the output, among dimensions of 1. */
function outputSize(
  { type, dims }: ort.Tensor,
  session: ort.InferenceSession,
  setup: EngineSetup,
): { type: FloatType; width: number; height: number } {
  const [height, width, ...others] = dims.filter((size) => size !== 1);
  if (isFloatType(type) && height && width && others.length === 0) return { type, width, height };
  const problem = `the output "${setup.manifest.output.name}" must be one float32 or float16 picture, and is ${type} [${dims.join(', ')}]`;
  throw misfit(setup, problem, describeModel(session));
}
