import { z } from 'zod';
import { duration, positiveDuration } from './units.ts';

const paces = {
  fast: 'as fast as the pipeline accepts frames',
  recorded: 'at their own times',
  step: 'one for each line on standard input (press Enter)',
} as const;

/** How frames of a recording are spaced; `fast` by default. */
export function paceOption<const Pace extends keyof typeof paces>(names: readonly Pace[]) {
  const texts = names.map((name) => `${name}: ${paces[name]}`);
  return z
    .enum(names)
    .default('fast' as never)
    .describe(texts.join('; '));
}

/** What sources that play recordings have in common, besides the pace. */
export const playOptions = {
  speed: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe('with pace: recorded, times the speed of the recording'),
  from: duration().optional().describe('where to begin, since the start of the recording'),
  to: positiveDuration().optional().describe('where to end, since the start of the recording'),
  loop: z.boolean().default(false).describe('start over at the end'),
  'on-error': z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('frame that cannot be decoded: end the run, or skip it and count it as dropped'),
};

/** For `refine` of options with `from` and `to`. */
export function endsAfterStart({
  from,
  to,
}: {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}): boolean {
  return from === undefined || to === undefined || from < to;
}

export const endsBeforeStart = { path: ['to'], error: 'must be later than "from"' };
