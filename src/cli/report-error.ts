import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { DepthlineError, reason } from '../core/errors.ts';
import { packageProblem } from '../core/package-problem.ts';
import { printLog } from './output.ts';

/** Prints an error and returns the exit code for it. */
export function report(error: unknown): number {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  printLog('error', messageOf(error), error instanceof DepthlineError ? fieldsOf(error) : {});
  return error instanceof DepthlineError ? error.exitCode : 1;
}

function messageOf(error: unknown): string {
  if (process.env.DEPTHLINE_DEBUG) return inspect(error);
  if (error instanceof DepthlineError && error.at) return `${error.at}: ${error.message}`;
  return packageProblem(error) ?? reason(error);
}

function fieldsOf({ code, at }: DepthlineError): object {
  return { code, ...(at !== undefined && { at }) };
}
