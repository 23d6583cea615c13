import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { durationText } from '../core/units.ts';
import type { Closings } from './closings.ts';

/** Warns of each step of the system clock until the run closes. */
export function reportClockSteps(clock: Clock, log: Logger, closings: Closings): void {
  const end = clock.onStep?.((jumpMs) => {
    const how = `${jumpMs > 0 ? 'forward' : 'back'} by ${durationText(Math.abs(jumpMs))}`;
    log.warn(`the system clock was set ${how}; timestamps follow it, ages are not affected`);
  });
  if (end) closings.add(end);
}
