import { basename } from 'node:path';
import { readable } from '../../core/printable.ts';
import type { ProcessChoice } from './choice.ts';

/** The program of a helper, for messages; its arguments may be long, or secret. */
export function helperName({ command }: ProcessChoice): string {
  return `the helper ${readable(basename(command[0] ?? ''))}`;
}
