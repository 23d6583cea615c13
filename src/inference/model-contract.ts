import type { InferenceSession } from 'onnxruntime-node';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Manifest } from './manifest.ts';

type Value = InferenceSession.ValueMetadata;
/** What a session tells of its model. */
type Described = Pick<InferenceSession, 'inputMetadata' | 'outputMetadata' | 'outputNames'>;

/** The model's real inputs and outputs: `input image: uint8 [1, 224, 224, 3]; output …`. */
export function describeModel(session: Omit<Described, 'outputNames'>): string {
  const line = (kind: string) => (value: Value) =>
    value.isTensor
      ? `${kind} "${value.name}": ${value.type} [${value.shape.join(', ')}]`
      : `${kind} "${value.name}", which is not a tensor`;
  return [
    ...session.inputMetadata.map(line('input')),
    ...session.outputMetadata.map(line('output')),
  ].join('; ');
}

const inputTypes: readonly string[] = ['uint8', 'float32', 'float16'];

export type FloatType = 'float32' | 'float16';

/** True for the types of outputs that can be read. */
export function isFloatType(type: string): type is FloatType {
  return type === 'float32' || type === 'float16';
}

/** Why no manifest can make this model usable, and what to do; or nothing. */
export function unsupportedModel(session: Described): string | undefined {
  const [input, ...others] = session.inputMetadata;
  if (!input?.isTensor || others.length > 0) {
    return 'only models with one input, the picture, are supported; export it with the other inputs as constants';
  }
  if (!inputTypes.includes(input.type)) {
    return `${input.type} inputs are not supported; export it with a uint8, float32 or float16 input`;
  }
  if (input.shape.length !== 4) {
    return 'only inputs of four dimensions (NHWC or NCHW) are supported; export it with these';
  }
  const types = session.outputMetadata.flatMap((value) => (value.isTensor ? value.type : []));
  if (types.some(isFloatType)) return undefined;
  return 'only float32 and float16 outputs are supported; export it with one';
}

/** What the manifest says that the model does not, or nothing. */
export function manifestProblem(session: Described, manifest: Manifest): string | undefined {
  const { input, output } = manifest;
  const found = session.inputMetadata.find((value) => value.name === input.name);
  if (!found?.isTensor) return `the manifest names the input "${input.name}"`;
  if (found.type !== input.dtype) return `the manifest says that the input is ${input.dtype}`;
  if (!fits(found.shape, input)) {
    return `the manifest says that the input is ${input.layout}, ${input.width} wide and ${input.height} high`;
  }
  if (!session.outputNames.includes(output.name)) {
    return `the manifest names the output "${output.name}"`;
  }
  return undefined;
}

/** Why the model cannot take so many pictures in one call, and what to do; or nothing. */
export function batchProblem(
  session: Described,
  { input }: Manifest,
  batch: number,
): string | undefined {
  const found = session.inputMetadata.find((value) => value.name === input.name);
  const size = found?.isTensor ? found.shape[0] : undefined;
  if (batch === 1 || typeof size !== 'number') return undefined;
  return `takes one picture at a time, not ${batch}: its batch is not dynamic; export it with one (training/export.py --batch dynamic), or set batch: 1`;
}

/** A dynamic dimension is a name instead of a number. */
function fits(shape: readonly (number | string)[], input: Manifest['input']): boolean {
  const { layout, width, height } = input;
  const wanted = layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
  return (
    shape.length === 4 &&
    wanted.every((size, i) => typeof shape[i] !== 'number' || shape[i] === size)
  );
}

/** Why ONNX Runtime cannot load a model, without the path of it and places in its own source. */
export function loadProblem(cause: unknown): string {
  return reason(cause)
    .replace(/^Load model from .*? failed:/s, '')
    .replace(/^\/\S+\.(?:cc|h):\d+ .*\) /, '')
    .replace(/^\/\S+\.(?:cc|h):\d+ .* was false\. /s, '')
    .trim()
    .replace(/\.$/, '');
}

/** The message for a model that no manifest can make usable. */
export function unusable(path: string, why: string, description: string): string {
  return `${path} cannot be used: it has ${description}, and ${why}`;
}

/** The error for a model that its manifest does not describe. */
export function misfit(
  { path, manifestPath }: { readonly path: string; readonly manifestPath: string },
  problem: string,
  description: string,
): DepthlineError {
  const message = `${path} does not fit its manifest: ${problem}, but the model has ${description}; correct ${manifestPath}`;
  return new DepthlineError('MODEL', message);
}
