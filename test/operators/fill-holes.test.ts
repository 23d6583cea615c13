import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { fillHoles } from '../../src/operators/fill-holes.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame } from '../support/frames.ts';

/** Two metres, with a hole of one pixel and one of 16. */
const holes = depthFrame(12, 8, 3, (x, y) => {
  const small = x === 2 && y === 2;
  const large = x >= 6 && x < 10 && y >= 2 && y < 6;
  return small || large ? 0 : 2;
});
const fill = async (options: object) =>
  (await runOperator(fillHoles, options, [holes]))[0] as DepthFrame;
const at = ({ data }: DepthFrame, x: number, y: number) => data[y * 12 + x];

test('fills holes up to max-area and leaves larger ones', async () => {
  const out = await fill({ 'max-area': 15 });
  expect(at(out, 2, 2)).toBeCloseTo(2);
  expect(at(out, 7, 3)).toBe(0);
  expect(at(await fill({ 'max-area': 16 }), 7, 3)).toBeCloseTo(2);
});

test('keeps what the frame says besides its depth', async () => {
  const { data: _, ...before } = holes;
  expect(await fill({})).toMatchObject(before);
});
