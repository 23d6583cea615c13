import { DepthlineError } from '../core/errors.ts';
import { lockName } from '../core/name-lock.ts';

/** A place that is held; `release` gives it up. */
export interface PlaceLock {
  release(): Promise<void>;
}

/**
 * Holds a name in a directory for this run, so that no second run writes there. A run that dies holds
 * nothing. Where there is no such lock, files are never replaced either.
 *
 * @param directory must exist; which path leads to it does not matter
 * @throws DepthlineError `SINK` if another run, or another sink of this run, holds the place
 * @throws Error of the file system
 */
export async function lockPlace(directory: string, name: string): Promise<PlaceLock> {
  const release = await lockName(directory, name);
  if (release) return { release };
  throw new DepthlineError(
    'SINK',
    `${directory} is in use: another run or sink writes ${name} there; end it, or choose another directory or name`,
  );
}
