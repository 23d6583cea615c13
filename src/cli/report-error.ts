import { CommanderError } from 'commander';
import { DepthlineError, reason } from '../core/errors.ts';

/** Prints what went wrong, once, and gives the exit code. */
export function report(error: unknown): number {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (process.env.DEPTHLINE_DEBUG) console.error(error);
  else if (error instanceof DepthlineError && error.at)
    console.error(`${error.at}: ${error.message}`);
  else console.error(reason(error));
  return error instanceof DepthlineError ? error.exitCode : 1;
}
