import type { InferenceSession } from 'onnxruntime-node';
import { DepthlineError } from '../core/errors.ts';
import { packageProblem } from '../core/package-problem.ts';
import { requireRegularFile, whyUnreadable } from '../core/regular-file.ts';
import { loadRuntime } from './engines/load-runtime.ts';
import { loadProblem } from './model-contract.ts';

/**
 * Loads a model in this thread, to look at its inputs and outputs; the caller releases it.
 *
 * @param binding folder of another build of ONNX Runtime
 * @throws DepthlineError `MODEL` if it cannot be loaded
 */
export async function openModel(path: string, binding?: string): Promise<InferenceSession> {
  try {
    await requireRegularFile(path);
  } catch (cause) {
    throw new DepthlineError('MODEL', whyUnreadable(path, cause), { cause });
  }
  try {
    const ort = await loadRuntime(binding);
    ort.env.logLevel = 'fatal';
    // Only its inputs and outputs are looked at: the graph need not be optimised for running.
    return await ort.InferenceSession.create(path, { graphOptimizationLevel: 'disabled' });
  } catch (cause) {
    if (cause instanceof DepthlineError) throw cause;
    const unloadable = packageProblem(cause);
    if (unloadable !== undefined) throw new DepthlineError('MISSING', unloadable, { cause });
    const message = `${path} cannot be loaded: ${loadProblem(cause)}; check that it is a complete ONNX model`;
    throw new DepthlineError('MODEL', message, { cause });
  }
}
