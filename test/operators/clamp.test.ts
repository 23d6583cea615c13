import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { clamp } from '../../src/operators/clamp.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame } from '../support/frames.ts';

const values = [0, Number.NaN, -1, 0.25, 0.5, 4, 8, 9, Number.POSITIVE_INFINITY];

async function clamped(options: object): Promise<DepthFrame> {
  const frame = { ...depthFrame(9, 1, 0, (x) => values[x] as number), range: [0.1, 6] as const };
  return (await runOperator(clamp, options, [frame]))[0] as DepthFrame;
}

test('depths outside become invalid', async () => {
  const { data } = await clamped({ min: 0.5, max: 8 });
  expect([...data]).toEqual([0, 0, 0, 0, 0.5, 4, 8, 0, 0]);
});

test('clip moves them to the nearest end, and invalid stays invalid', async () => {
  const { data } = await clamped({ min: 0.5, max: 8, outside: 'clip' });
  expect([...data]).toEqual([0, 0, 0, 0.5, 0.5, 4, 8, 8, 0]);
});

test('the frame’s range narrows', async () => {
  expect((await clamped({ min: 0.5, max: 8 })).range).toEqual([0.5, 6]);
});

test('min must be less than max', () => {
  const { error } = clamp.options.safeParse({ min: 3, max: 3 });
  expect(error?.issues[0]?.message).toBe('min (3) must be less than max (3)');
});
