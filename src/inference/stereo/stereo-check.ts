import { DepthlineError } from '../../core/errors.ts';
import type { ValueProblem } from '../../core/option-problems.ts';
import { describeModel, misfit } from '../model-contract.ts';
import { requireWholeManifest, verifyModel } from '../model-files.ts';
import { openModel } from '../open-model.ts';
import { stereoProblem } from './stereo-contract.ts';
import { findStereoModel, type StereoModelFiles } from './stereo-manifest.ts';

/**
 * What is wrong with the option `model` of an operator on pairs.
 *
 * @param thorough also read all of the manifest, hash and load the model, and compare the two
 */
export async function stereoModelProblems(
  nameOrPath: string,
  baseDirectory: string,
  thorough: boolean,
): Promise<ValueProblem[]> {
  try {
    const model = await findStereoModel(nameOrPath, baseDirectory);
    if (!thorough) return [];
    await requireWholeManifest(model);
    await requireFit(await verifyModel(model));
    return [];
  } catch (error) {
    if (!(error instanceof DepthlineError)) throw error;
    return [{ path: ['model'], message: error.message }];
  }
}

async function requireFit(model: StereoModelFiles): Promise<void> {
  const session = await openModel(model.path);
  try {
    const problem = stereoProblem(session, model.manifest);
    if (problem !== undefined) throw misfit(model, problem, describeModel(session));
  } finally {
    await session.release();
  }
}
