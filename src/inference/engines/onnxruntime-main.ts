import { DepthlineError } from '../../core/errors.ts';
import { packageProblem } from '../../core/package-problem.ts';
import { loadProblem } from '../model-contract.ts';
import type { MainSide } from './main-side.ts';
import '../no-telemetry.ts';

export const mainSide: MainSide = {
  loadError: ({ path }, { providers }, cause) => unloadable(path, providers, cause),
};

/** The error for a model's file that ONNX Runtime cannot load with any of the providers. */
export function unloadable(
  path: string,
  providers: readonly string[],
  cause: unknown,
): DepthlineError {
  const missing = packageProblem(cause);
  if (missing !== undefined) return new DepthlineError('MISSING', missing, { cause });
  const others = providers.filter((provider) => provider !== 'cpu');
  const advice =
    others.length > 0
      ? `; ${others.join(' and ')} may be missing: its libraries come with the CUDA build of onnxruntime-node (\`depthline doctor\` shows what this machine has); providers: [cpu] always works`
      : '; check that it is a complete ONNX model';
  const message = `${path} cannot be loaded: ${loadProblem(cause)}${advice}`;
  return new DepthlineError('MODEL', message, { cause });
}
