import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { DepthlineError, reason } from '../core/errors.ts';
import { packageProblem } from '../core/package-problem.ts';
import { printError } from './output.ts';

/** Prints an error and returns the exit code for it. */
export function report(error: unknown): number {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (process.env.DEPTHLINE_DEBUG) printError(inspect(error));
  else if (error instanceof DepthlineError && error.at) printError(`${error.at}: ${error.message}`);
  else printError(packageProblem(error) ?? reason(error));
  return error instanceof DepthlineError ? error.exitCode : 1;
}
