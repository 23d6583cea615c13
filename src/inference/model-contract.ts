import type { InferenceSession } from 'onnxruntime-node';
import type { Manifest } from './manifest.ts';

type Value = InferenceSession.ValueMetadata;

/** The model's real inputs and outputs: `input image: uint8 [1, 224, 224, 3]; output …`. */
export function describeModel(session: InferenceSession): string {
  const line = (kind: string) => (value: Value) =>
    value.isTensor
      ? `${kind} "${value.name}": ${value.type} [${value.shape.join(', ')}]`
      : `${kind} "${value.name}", which is no tensor`;
  return [
    ...session.inputMetadata.map(line('input')),
    ...session.outputMetadata.map(line('output')),
  ].join('; ');
}

/** What the manifest says that the model does not, or nothing. */
export function manifestProblem(session: InferenceSession, manifest: Manifest): string | undefined {
  const { input, output } = manifest;
  const found = session.inputMetadata.find((value) => value.name === input.name);
  if (!found?.isTensor) return `the manifest names the input "${input.name}"`;
  if (session.inputMetadata.length > 1) return 'the manifest knows of one input';
  if (found.type !== input.dtype) return `the manifest says that the input is ${input.dtype}`;
  if (!fits(found.shape, input)) {
    return `the manifest says that the input is ${input.layout}, ${input.width} wide and ${input.height} high`;
  }
  if (!session.outputNames.includes(output.name)) {
    return `the manifest names the output "${output.name}"`;
  }
  return undefined;
}

/** A dimension that the model leaves open is a name instead of a number. */
function fits(shape: readonly (number | string)[], input: Manifest['input']): boolean {
  const { layout, width, height } = input;
  const wanted = layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
  return (
    shape.length === 4 &&
    wanted.every((size, i) => typeof shape[i] !== 'number' || shape[i] === size)
  );
}
