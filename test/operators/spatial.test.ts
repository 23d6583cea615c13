import { lastValueFrom, of, tap } from 'rxjs';
import { expect, test } from 'vitest';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { spatial } from '../../src/operators/spatial.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';

/** Two surfaces, at 1 and 3 m, with noise of 1 cm. */
const noisy = depthFrame(20, 10, 0, (x, y) => (x < 10 ? 1 : 3) + ((x * 7 + y * 13) % 3) * 0.01);
const smoothed = async (options: object) =>
  (await runOperator(spatial, options, [noisy]))[0] as DepthFrame;

function spread(data: Float32Array, from: number, to: number): number {
  const values = [...data].filter((_, i) => i % 20 >= from && i % 20 < to);
  return Math.max(...values) - Math.min(...values);
}

test('smooths within surfaces and keeps the edge between them', async () => {
  const { data } = await smoothed({ alpha: 0.3, iterations: 3 });
  expect(spread(data, 0, 10)).toBeLessThan(0.6 * spread(noisy.data, 0, 10));
  expect(data[9]).toBeLessThan(1.1);
  expect(data[10]).toBeGreaterThan(2.9);
});

test('does not work on the thread that moves the frames', async () => {
  const context = testContext();
  const operator = await spatial.create(spatial.options.parse({}), context);
  const seen: string[] = [];
  const done = lastValueFrom(
    of<Frame>(noisy).pipe(
      operator,
      tap(() => seen.push('smoothed')),
    ),
  );
  seen.push('handed over');
  const { timings } = await done;
  expect(seen).toEqual(['handed over', 'smoothed']);
  expect(timings).toHaveProperty(context.name);
  await context.close();
});

test('alpha 1 changes nothing', async () => {
  const { data } = await smoothed({ alpha: 1 });
  data.forEach((metres, i) => {
    expect(metres).toBeCloseTo(noisy.data[i] as number, 5);
  });
});
