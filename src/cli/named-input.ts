import { DepthlineError, type ErrorCode, reason } from '../core/errors.ts';
import { requireRegularFile, whyUnreadable } from '../core/regular-file.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { findProgram } from '../inference/engines/find-program.ts';
import { findModel, kindOfModel, type ModelKind } from '../inference/model-files.ts';
import { findStereoModel } from '../inference/stereo/stereo-manifest.ts';

const ofInputs: readonly ErrorCode[] = ['SOURCE', 'MODEL'];

/**
 * What a command finds of the inputs that its command line names, before it begins. That one is missing or is
 * something else is wrong usage there, and no failure.
 *
 * @throws DepthlineError `CONFIG`
 */
export async function namedInput<T>(found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof DepthlineError) || !ofInputs.includes(error.code)) throw error;
    throw new DepthlineError('CONFIG', error.message, { cause: error });
  }
}

/** @throws DepthlineError `CONFIG` if `file` is not a file that can be read */
export async function requireFile(file: string): Promise<void> {
  const path = resolvePath(process.cwd(), file);
  await requireRegularFile(path).catch((cause: unknown) => {
    throw new DepthlineError('CONFIG', whyUnreadable(path, cause), { cause });
  });
}

/** @throws DepthlineError `CONFIG` if there is no such program */
export async function requireProgram(program: string): Promise<void> {
  await findProgram(program, process.cwd()).catch((cause: unknown) => {
    throw new DepthlineError('CONFIG', reason(cause), { cause });
  });
}

/** @throws DepthlineError `CONFIG` if there is no such model, of one of these kinds, or its manifest is wrong */
export async function requireModel(
  name: string,
  kinds: readonly ModelKind[] = ['mono'],
): Promise<void> {
  const baseDirectory = process.cwd();
  const pairs = kinds.includes('stereo') && (await kindOfModel(name, baseDirectory)) === 'stereo';
  await namedInput<unknown>((pairs ? findStereoModel : findModel)(name, baseDirectory));
}
