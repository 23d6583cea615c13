import type { BusMessage } from './binding.ts';
import type { Failure } from './failure.ts';

/** What an error message on the bus says. */
export function failureOf(message: BusMessage, missing: readonly string[] = []): Failure {
  const text = (name: string) => {
    const value = message[name];
    return typeof value === 'string' ? value : undefined;
  };
  const element = text('name');
  const debug = text('debug');
  return {
    phase: 'run',
    message: text('message') ?? 'unknown error',
    ...(element !== undefined && { element }),
    ...(debug !== undefined && { debug }),
    ...(missing.length > 0 && { missing }),
  };
}
