import type { FrameFacts } from '../core/component-facts.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import type { ValueProblem } from '../core/option-problems.ts';

const advice = 'calibrate the model with "depthline calibrate", or use one that estimates metres';

/**
 * Why relative depth is refused.
 *
 * @param why a clause: `16UC1 is in millimetres`
 * @param instead what to do without calibration: `use 32FC1`
 */
export function relativeRefusal(why: string, instead?: string): string {
  const choices = instead === undefined ? advice : `${instead}, or ${advice}`;
  return `${why}, but the depth is relative, without a unit: ${choices}`;
}

/** The problem of an option that needs metres, if the depth that arrives is known to be relative. */
export function metricProblems(
  { unit }: FrameFacts,
  option: string | undefined,
  why: string,
  instead?: string,
): ValueProblem[] {
  if (unit !== 'relative') return [];
  const path = option === undefined ? [] : [option];
  return [{ path, message: relativeRefusal(why, instead) }];
}

const rangeInMetres = 'a fixed colour range is in metres';

/** Options of a component that colours depth, as far as they need metres. */
export interface MetricLook {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly panels?: readonly string[] | undefined;
}

/** Panels that compare depth with the ground truth, which is in metres. */
const comparing: readonly string[] = ['truth', 'error'];

/** Colour ranges and panels in metres, if the depth that arrives is known to be relative. */
export function metricLookProblems(look: MetricLook, arriving: FrameFacts): ValueProblem[] {
  const ends = (['min', 'max'] as const).flatMap((end) =>
    look[end] === undefined
      ? []
      : metricProblems(
          arriving,
          end,
          rangeInMetres,
          `leave ${end} out, so that it follows the frames`,
        ),
  );
  const panel = look.panels?.find((name) => comparing.includes(name));
  if (panel === undefined) return ends;
  const why = `the panel "${panel}" compares with metres`;
  return [...ends, ...metricProblems(arriving, 'panels', why, 'leave it out')];
}

/**
 * For depth whose unit is known only when it arrives.
 *
 * @throws FrameRefused if the frame is relative and the colours are those of metres
 */
export function requireMetricLook(look: MetricLook, { unit }: Pick<DepthFrame, 'unit'>): void {
  const [problem] = metricLookProblems(look, { unit });
  if (problem) throw new FrameRefused(problem.message);
}

/**
 * For depth whose unit is known only when it arrives.
 *
 * @throws DepthlineError `OPERATOR` if the frame is relative
 */
export function requireMetric({ unit }: Pick<DepthFrame, 'unit'>, why: string): void {
  if (unit === 'relative') throw new DepthlineError('OPERATOR', relativeRefusal(why));
}
