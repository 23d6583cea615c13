import { expect, it } from 'vitest';
import { type Frame, frameProblem, latestTime } from '../../src/core/frame.ts';
import { imageFrame } from '../support/frames.ts';

const frame = (changes: Partial<Frame>) => ({ ...imageFrame(2, 2, 1), ...changes });

it('a frame has a seq and times that every reader can hold', () => {
  expect(frameProblem(frame({ seq: 0, pts: 0n, capturedAt: latestTime }))).toBeUndefined();
  for (const seq of [Number.NaN, 1.5, Infinity, 2 ** 53]) {
    expect(frameProblem(frame({ seq }))).toBe('a frame without a whole-number seq');
  }
  expect(frameProblem(frame({ seq: -1 }))).toBe('a frame of seq -1, which is below 0');
  for (const pts of [-1n, latestTime + 1n]) {
    expect(frameProblem(frame({ pts }))).toBe(
      `a frame of pts ${pts}, which is not between 0 and ${latestTime} nanoseconds`,
    );
  }
  for (const name of ['pts', 'capturedAt'])
    expect(frameProblem(frame({ [name]: 1 as never }))).toMatch(/is not a bigint/);
});
