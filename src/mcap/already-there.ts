import { DepthlineError } from '../core/errors.ts';

/** For `existing: fail`. */
export function alreadyThere(path: string): DepthlineError {
  return new DepthlineError(
    'SINK',
    `${path} or another recording of this name exists; choose another path, put the time into it (%Y%m%d-%H%M%S), or set "existing: append"`,
  );
}
