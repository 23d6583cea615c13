import { reason } from '../core/errors.ts';

/** Why the description of a type cannot be read. @param what `schema` */
export function descriptionProblem(error: unknown, what: string): Error {
  // What a parser expected instead comes on further lines.
  const [where = ''] = reason(error).split('\n');
  return new Error(`its ${what} cannot be read: ${where.replace(/\W+$/, '')}`, { cause: error });
}

/** Why a message cannot be read. Readers that run past the end of its data say nothing of use. */
export function dataProblem(error: unknown): unknown {
  const past = [RangeError, TypeError, SyntaxError].some((type) => error instanceof type);
  return past ? new Error('its data does not match its type', { cause: error }) : error;
}
