import { expect, test } from 'vitest';
import { RestartBudget, restartSchema } from '../../../src/gstreamer/capture/restart-budget.ts';

const budget = (given: Record<string, unknown> = {}) =>
  new RestartBudget(restartSchema.parse(given));

test('the first restart is at once, then the pauses double, then it is over', () => {
  const restarts = budget();
  const delays = [0, 1, 2, 3, 4, 5].map((second) => restarts.next(second * 1000));
  expect(delays).toEqual([0, 100, 200, 400, 800, undefined]);
  expect(restarts.inRow).toBe(5);
});

test('after a time without trouble it counts anew', () => {
  const restarts = budget({ limit: 1, 'healthy-after': '10s' });
  expect(restarts.next(0)).toBe(0);
  expect(restarts.next(9_000)).toBeUndefined();
  expect(restarts.next(10_000)).toBe(0);
});

test('pauses have a longest, and 0 means no restart', () => {
  const restarts = budget({ limit: 100, 'max-delay': '150ms' });
  expect([0, 0, 0, 0].map(() => restarts.next(0))).toEqual([0, 100, 150, 150]);
  expect(budget({ limit: 0 }).next(0)).toBeUndefined();
});
