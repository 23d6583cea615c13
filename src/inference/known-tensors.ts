import type { InferenceSession } from 'onnxruntime-node';
import { DepthlineError } from '../core/errors.ts';
import type { KnownModel } from './known-models.ts';
import { manifestSchema } from './manifest.ts';
import {
  describeModel,
  type FloatType,
  isFloatType,
  manifestProblem,
  unsupportedModel,
  unusable,
} from './model-contract.ts';
import { openModel } from './open-model.ts';

/**
 * Names and types of the input and output of a file that is of a known kind.
 *
 * @throws DepthlineError `MODEL` that says what differs
 */
export async function fittingTensors(
  file: string,
  as: string,
  known: KnownModel,
): Promise<{ input: { name: string; dtype: FloatType }; output: { name: string } }> {
  const session = await openModel(file);
  try {
    const description = describeModel(session);
    const unsupported = unsupportedModel(session);
    if (unsupported !== undefined)
      throw new DepthlineError('MODEL', unusable(file, unsupported, description));
    const misfit = (why: string) =>
      new DepthlineError('MODEL', `${file} is not ${as}: it has ${description}, and ${why}`);
    const [given] = session.inputMetadata;
    if (!given?.isTensor || !isFloatType(given.type))
      throw misfit('its input should be float32 or float16');
    const input = { name: given.name, dtype: given.type };
    const output = { name: depthOutput(session, misfit) };
    const manifest = manifestSchema.parse({
      name: as,
      file: as,
      input: { ...known.input, ...input },
      output: { ...known.output, ...output },
    });
    const problem = manifestProblem(session, manifest);
    if (problem !== undefined) throw misfit(problem.replace('the manifest', `"${as}"`));
    return { input, output };
  } finally {
    await session.release();
  }
}

/** The only output that can be a depth picture. */
function depthOutput(session: InferenceSession, misfit: (why: string) => DepthlineError): string {
  const pictures = session.outputMetadata.filter((value) => {
    if (!value.isTensor || !isFloatType(value.type)) return false;
    // A dynamic dimension is a name.
    const sides = value.shape.filter((side) => side !== 1);
    const channels = value.shape.length === 4 ? value.shape[1] : 1;
    return value.shape.length <= 4 && sides.length >= 2 && (channels === 1 || sides.length === 2);
  });
  const [first, ...others] = pictures;
  if (!first) throw misfit('none of its outputs is one picture');
  if (others.length === 0) return first.name;
  const usual = pictures.find(({ name }) => /^(predicted_)?depth$/.test(name));
  if (usual) return usual.name;
  throw misfit('several of its outputs could be the depth; export it with that one only');
}
