import type { FrameFacts } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DepthFrame } from '../core/frame.ts';
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

/**
 * For depth whose unit is known only when it arrives.
 *
 * @throws DepthlineError `OPERATOR` if the frame is relative
 */
export function requireMetric({ unit }: Pick<DepthFrame, 'unit'>, why: string): void {
  if (unit === 'relative') throw new DepthlineError('OPERATOR', relativeRefusal(why));
}
