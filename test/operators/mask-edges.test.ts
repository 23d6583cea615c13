import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { maskEdges } from '../../src/operators/mask-edges.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame } from '../support/frames.ts';

/** A surface at 1 m to the left of one at 3 m. */
const jump = depthFrame(10, 4, 0, (x) => (x < 5 ? 1 : 3));
const mask = async (options: object) =>
  (await runOperator(maskEdges, options, [jump]))[0] as DepthFrame;

test('makes pixels at a jump invalid, and no others', async () => {
  const row = [...(await mask({})).data.subarray(10, 20)];
  expect(row[4]).toBe(0);
  expect(row[5]).toBe(0);
  expect(row.slice(0, 3)).toEqual([1, 1, 1]);
  expect(row.slice(7)).toEqual([3, 3, 3]);
});

test('a threshold above the jump leaves it', async () => {
  expect((await mask({ threshold: 10 })).data).toEqual(jump.data);
});
