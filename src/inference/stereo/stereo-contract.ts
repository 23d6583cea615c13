import type { InferenceSession } from 'onnxruntime-node';
import type { StereoManifest } from './stereo-manifest.ts';

/** What the manifest says that the model does not, or nothing. */
export function stereoProblem(
  session: Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>,
  { input, output }: StereoManifest,
): string | undefined {
  const wanted = [1, input.height, input.width, 3];
  for (const name of [input.left, input.right]) {
    const found = session.inputMetadata.find((value) => value.name === name);
    if (!found?.isTensor) return `the manifest names the input "${name}"`;
    if (found.type !== input.dtype) return `the manifest says that "${name}" is ${input.dtype}`;
    const fits =
      found.shape.length === wanted.length &&
      wanted.every((size, i) => typeof found.shape[i] !== 'number' || found.shape[i] === size);
    if (!fits)
      return `the manifest says that "${name}" is ${input.layout}, ${input.width} wide and ${input.height} high`;
  }
  if (session.inputMetadata.length > 2) return 'a model for pairs has two inputs';
  const found = session.outputMetadata.find((value) => value.name === output.name);
  if (!found?.isTensor) return `the manifest names the output "${output.name}"`;
  return found.type === 'float32' ? undefined : `the output "${output.name}" must be float32`;
}
