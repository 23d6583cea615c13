import { createInterface } from 'node:readline';
import type { ComponentContext } from '../core/component-context.ts';

/**
 * Waits for a line on standard input per step. At its end there are no more steps.
 *
 * @returns a function that resolves with true for each line
 */
export function lineSteps({ defer, log }: Pick<ComponentContext, 'defer' | 'log'>) {
  const lines = createInterface({ input: process.stdin });
  defer(() => {
    lines.close();
    process.stdin.unref?.();
  });
  log.info('waits for a line on standard input before each frame (press Enter)');
  const iterator = lines[Symbol.asyncIterator]();
  return async (signal: AbortSignal): Promise<boolean> => {
    const aborted = new Promise<false>((resolve) => {
      if (signal.aborted) resolve(false);
      signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    const line = iterator.next().then(({ done }) => done !== true);
    return Promise.race([line, aborted]);
  };
}
