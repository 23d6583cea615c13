import { lastValueFrom, type Observable, take, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { testContext } from '../support/context.ts';

async function read(given: Record<string, unknown>, count = Number.POSITIVE_INFINITY) {
  const context = testContext();
  const frames = await testPattern.create(testPattern.options.parse(given), context);
  const all = await lastValueFrom((frames as Observable<ImageFrame>).pipe(take(count), toArray()));
  await context.close();
  return { all, context };
}

test('makes the number of frames asked for, at the rate given by PTS', async () => {
  const { all, context } = await read({ width: 225, height: 31, fps: 12.5, frames: 20 });
  expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(all.map(({ pts }) => pts)).toEqual(all.map((_, i) => BigInt(i) * 80_000_000n));
  expect(all[0]).toMatchObject({ width: 225, height: 31 });
  expect(all[0]?.data).toHaveLength(225 * 31 * 3);
  expect(context.drops.size).toBe(0);
});

test('is the same in each run', async () => {
  const [a, b] = [await read({ frames: 3 }), await read({ frames: 3 })];
  expect(Buffer.compare(a.all[2]!.data, b.all[2]!.data)).toBe(0);
});

test.each(testPattern.options.shape.pattern.unwrap().options)('pattern %s', async (pattern) => {
  const { all } = await read({ pattern, width: 16, height: 16, frames: 1 });
  expect(all).toHaveLength(1);
});

test('in real time is stamped with the time of capture', async () => {
  const before = Date.now();
  const { all } = await read({ realtime: true, fps: 50, width: 16, height: 16 }, 20);
  const after = Date.now();
  for (const [i, { capturedAt, pts }] of all.entries()) {
    expect(Number(capturedAt) / 1e6).toBeGreaterThan(before - 5);
    expect(Number(capturedAt) / 1e6).toBeLessThan(after + 5);
    if (i === 0) continue;
    expect(pts).toBeGreaterThan(all[i - 1]!.pts);
    expect(capturedAt).toBeGreaterThan(all[i - 1]!.capturedAt);
  }
});

test('takes part in plan', async () => {
  const line = await testPattern.launchLine?.(testPattern.options.parse({ width: 8, height: 8 }), {
    fused: [{ do: 'resize', width: 4, height: 4, fit: 'stretch', on: 'cpu' }],
    baseDirectory: '.',
  });
  expect(line).toContain(
    'videotestsrc pattern=ball is-live=false ! video/x-raw,width=8,height=8,framerate=30/1 ! videoscale',
  );
});
