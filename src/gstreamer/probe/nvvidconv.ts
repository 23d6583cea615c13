import type { Engine } from '../../core/fusion.ts';
import type { Head } from '../launch-line.ts';
import { probe } from './probe.ts';

/** The best that it has; by default it takes the nearest pixel, which aliases. */
const nicest = 'nvvidconv interpolation-method=5';

let known: Promise<string> | undefined;

/** How nvvidconv scales best here: older ones have no choice of method. Tried out once per process. */
export async function nvScaler(head: Head, engines: readonly Engine[]): Promise<string> {
  if (head.memory !== 'nvmm' && !engines.includes('nvvidconv')) return 'nvvidconv';
  known ??= probe(`fakesrc num-buffers=1 ! fakesink ${nicest}`).then((problem) =>
    problem?.includes('no property') ? 'nvvidconv' : nicest,
  );
  return known;
}
