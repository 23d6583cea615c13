import { describe, expect, test } from 'vitest';
import { RestartBudget, restartSchema, waitForSource } from '../../src/core/restart-budget.ts';

/** Without jitter, unless `random` says otherwise. */
const budget = (given: Record<string, unknown> = {}, random = () => 0) =>
  new RestartBudget(restartSchema.parse(given), random);

describe('pauses', () => {
  test('the first restart is immediate, then the pauses double up to max-delay', () => {
    const restarts = budget({ 'max-delay': '1s' });
    const delays = [0, 1, 2, 3, 4, 5, 6, 7].map(() => restarts.next(0, 0, Infinity));
    expect(delays).toEqual([0, 100, 200, 400, 800, 1000, 1000, 1000]);
    expect(restarts.inRow).toBe(8);
  });

  test('of the default reach 5 s and stay there, however often it fails', () => {
    const restarts = budget();
    const delays = Array.from({ length: 5000 }, () => restarts.next(0, 0, Infinity));
    expect(delays.slice(7).every((delay) => delay === 5000)).toBe(true);
  });

  test('vary by at most a fifth, and never exceed max-delay', () => {
    const random = [0.999, 0.5, 0, 0.25];
    let i = 0;
    const restarts = budget({ 'max-delay': '100ms' }, () => random[i++ % 4] as number);
    restarts.next(0, 0, Infinity);
    const delays = [0, 1, 2, 3].map(() => restarts.next(0, 0, Infinity) as number);
    expect(delays[0]).toBeCloseTo(80.02, 6);
    expect(delays.slice(1)).toEqual([90, 100, 95]);
  });
});

describe('the limit', () => {
  test('is that of the options, else that of the source', () => {
    const limited = budget({ limit: 2 });
    expect([0, 0, 0].map(() => limited.next(0, 0, Infinity))).toEqual([0, 100, undefined]);
    const restarts = budget();
    expect([0, 0, 0].map(() => restarts.next(0, 0, 2))).toEqual([0, 100, undefined]);
    expect(budget({ limit: 0 }).next(0, 0, Infinity)).toBeUndefined();
  });

  test('counts anew once frames have come for long enough, not merely after a long time', () => {
    const restarts = budget({ limit: 1, 'healthy-after': '10s' });
    expect(restarts.next(0, 0, Infinity)).toBe(0);
    expect(restarts.next(9_999, 0, Infinity)).toBeUndefined();
    expect(restarts.next(0, 60_000, Infinity)).toBeUndefined();
    expect(restarts.next(10_000, 0, Infinity)).toBe(0);
  });

  test('does not count anew without a frame, however short healthy-after is', () => {
    const restarts = budget({ limit: 1, 'healthy-after': '0s' });
    expect(restarts.next(0, 0, Infinity)).toBe(0);
    expect(restarts.next(0, 0, Infinity)).toBeUndefined();
    expect(restarts.next(1, 0, Infinity)).toBe(0);
  });

  test('give-up-after bounds the time without a frame', () => {
    const restarts = budget({ 'give-up-after': '10s' });
    for (let n = 0; n < 10; n++) restarts.next(0, 0, Infinity);
    expect(restarts.next(0, 7_000, Infinity)).toBe(3_000);
    expect(restarts.next(0, 10_000, Infinity)).toBeUndefined();
  });
});

test('a source that is not there at the start fails, unless asked to wait', () => {
  expect(waitForSource.parse(undefined)).toBe(false);
});
