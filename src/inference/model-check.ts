import { hint } from '../core/did-you-mean.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ValueProblem } from '../core/option-problems.ts';
import { packageProblem } from '../core/package-problem.ts';
import {
  batchProblem,
  describeModel,
  manifestProblem,
  misfit,
  unsupportedModel,
  unusable,
} from './model-contract.ts';
import { findModel, type ModelFiles, requireWholeManifest, verifyModel } from './model-files.ts';
import { openModel } from './open-model.ts';

interface ModelCheck {
  readonly thorough: boolean;
  readonly batch?: number | undefined;
  readonly binding?: string | undefined;
}

/**
 * What is wrong with the option `model`: there is none of that name, it has no manifest, or the
 * manifest is invalid.
 *
 * @param thorough also read all of the manifest, hash and load the model, and compare the two
 * @param binding folder of another build of ONNX Runtime that loads it
 */
export async function modelProblems(
  nameOrPath: string,
  baseDirectory: string,
  { thorough, batch = 1, binding }: ModelCheck,
): Promise<ValueProblem[]> {
  try {
    const model = await findModel(nameOrPath, baseDirectory);
    if (!thorough) return [];
    await requireWholeManifest(model);
    const single = await requireFit(await verifyModel(model), batch, binding);
    return single === undefined ? [] : [{ path: ['batch'], message: `${model.path} ${single}` }];
  } catch (error) {
    if (!(error instanceof DepthlineError)) throw error;
    return [{ path: ['model'], message: error.message }];
  }
}

/**
 * Loads a model and compares it with its manifest, without running it.
 *
 * @returns why it cannot take so many pictures in one call, if it cannot
 * @throws DepthlineError `MODEL` that says what differs
 */
export async function requireFit(
  model: ModelFiles,
  batch = 1,
  binding?: string,
): Promise<string | undefined> {
  const session = await openModel(model.path, binding);
  try {
    const description = describeModel(session);
    const unsupported = unsupportedModel(session);
    if (unsupported !== undefined)
      throw new DepthlineError('MODEL', unusable(model.path, unsupported, description));
    const problem = manifestProblem(session, model.manifest);
    if (problem !== undefined) throw misfit(model, problem, description);
    return batchProblem(session, model.manifest, batch);
  } finally {
    await session.release();
  }
}

/** The option `providers`, if this machine has none of them: one that is missing is passed over. */
export async function providerProblems(
  providers: readonly string[],
  binding?: string,
): Promise<ValueProblem[]> {
  const problems = await missingProviders(providers, binding);
  return problems.length < providers.length ? [] : problems;
}

/** Execution providers in the option `providers` that this machine lacks. */
async function missingProviders(
  providers: readonly string[],
  binding: string | undefined,
): Promise<ValueProblem[]> {
  // Every build of ONNX Runtime has it; loading the library takes a moment.
  if (providers.every((provider) => provider === 'cpu')) return [];
  let available: readonly string[];
  try {
    ({ providers: available } = await (await import('./runtime-info.ts')).runtimeInfo(binding));
  } catch (error) {
    return [{ path: ['providers'], message: packageProblem(error) ?? reason(error) }];
  }
  return providers.flatMap((provider, index) => {
    if (available.includes(provider)) return [];
    const message = `${provider} is not available on this machine${hint('', available)}; its libraries come with the CUDA build of onnxruntime-node ("depthline doctor" shows what this machine has)`;
    return [{ path: ['providers', index], message }];
  });
}
