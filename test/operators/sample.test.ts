import { map, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, test } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { sample } from '../../src/operators/sample.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';

/** Frames at the given times, milliseconds. */
function at(times: readonly number[]): Frame[] {
  return times.map((ms, seq) => ({
    ...depthFrame(1, 1, seq),
    pts: 5_000_000_000n + BigInt(Math.round(ms * 1e6)),
  }));
}

const steady = (fps: number, seconds: number) =>
  at(Array.from({ length: fps * seconds }, (_, i) => (i * 1000) / fps));

async function keptOf(options: object, frames: Frame[]): Promise<number[]> {
  return (await runOperator(sample, options, frames)).map(({ seq }) => seq);
}

test('every third frame, counted from the first; the rest are accounted for', async () => {
  const context = testContext();
  const out = await runOperator(sample, { every: 3 }, steady(10, 1), context);
  expect(out.map(({ seq }) => seq)).toEqual([0, 3, 6, 9]);
  expect(context.drops).toEqual(new Map([['sampled out', 6]]));
});

test('drops and keeps without delay', async () => {
  const operator = await sample.create(sample.options.parse({ every: 2 }), testContext());
  const frames = steady(10, 1);
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run((helpers) => {
    const input: Observable<Frame> = helpers
      .cold('-0-1-2-3-|')
      .pipe(map((n) => frames[Number(n)]!));
    const marbles = { a: frames[0]!, c: frames[2]! };
    helpers.expectObservable(input.pipe(operator)).toBe('-a---c---|', marbles);
  });
});

test.each([
  [30, 15, 2],
  [30, 10, 3],
  [60, 20, 3],
])('%i fps to %i: every %i-th', async (from, fps, n) => {
  const kept = await keptOf({ fps }, steady(from, 1));
  expect(kept).toEqual(Array.from({ length: from / n }, (_, i) => i * n));
});

test.each([
  [30, 20],
  [30, 12],
  [25, 24],
  [30, 7],
])('%i fps to %i: the rate is right over time', async (from, fps) => {
  const kept = await keptOf({ fps }, steady(from, 10));
  expect(Math.abs(kept.length - fps * 10)).toBeLessThanOrEqual(1);
});

test('keeps every frame of a slower input', async () => {
  expect(await keptOf({ fps: 30 }, steady(10, 1))).toHaveLength(10);
});

test('jitter does not change the rate', async () => {
  const times = Array.from({ length: 300 }, (_, i) => (i * 1000) / 30 + ((i * 7919) % 11) - 5);
  expect(Math.abs((await keptOf({ fps: 15 }, at(times))).length - 150)).toBeLessThanOrEqual(2);
});

test('no burst after a gap', async () => {
  const frames = at([0, 33, 67, 5000, 5033, 5067, 5100, 5133]);
  expect(await keptOf({ fps: 10 }, frames)).toEqual([0, 3, 6]);
});

test('needs one of every and fps', () => {
  for (const options of [{}, { every: 2, fps: 10 }]) {
    expect(sample.options.safeParse(options).error?.issues[0]?.message).toContain('needs either');
  }
});

test('goes on where times begin again', async () => {
  const second = Array.from({ length: 30 }, (_, i) => (i * 1000) / 30);
  const kept = await keptOf({ fps: 10 }, at([...second, ...second, ...second]));
  expect(kept.length).toBeGreaterThanOrEqual(28);
  expect(kept.length).toBeLessThanOrEqual(31);
});
