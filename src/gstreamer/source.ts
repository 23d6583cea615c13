import type { Fusion } from '../core/fusion.ts';
import { availableEngines } from './engines.ts';
import { type Head, launchLine, type Tail } from './launch-line.ts';

/** The launch line for this machine. */
export async function launchLineHere(
  head: Head,
  fused: readonly Fusion[],
  tail: Tail,
): Promise<string> {
  return launchLine(head, fused, tail, await availableEngines(fused));
}
