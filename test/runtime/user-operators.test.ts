import { delay, merge, mergeWith, NEVER, retry, switchMap, take, timer } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTime } from '../support/fake-time.ts';
import { breaks, endless, runScenario } from '../support/operator-scenario.ts';
import type { FrameOperator } from '../support/rxjs-operators.ts';

let time: FakeTime;
beforeEach(() => {
  time = new FakeTime();
  time.install();
});
afterEach(() => time.uninstall());

describe('an operator of the user', () => {
  const places = ['trunk', 'branch'] as const;

  it.each(places)('that completes early in the only branch ends the run: %s', async (where) => {
    const { branches, captured } = await runScenario(time, where, take(5), {
      frames: endless,
      natural: true,
    });
    expect(branches[0]?.delivered).toBe(5);
    expect(captured).toBeLessThan(10);
  });

  it.each(places)(
    'that never completes does not outlive the end of the input: %s',
    async (where) => {
      const { branches, error } = await runScenario(time, where, mergeWith(NEVER), {
        natural: true,
      });
      expect(branches[0]?.delivered).toBe(20);
      expect(error).toBeUndefined();
    },
  );

  it.each(places)(
    'that subscribes twice gets each frame once per subscription: %s',
    async (where) => {
      const { branches } = await runScenario(time, where, (input) => merge(input, input), {});
      expect(branches[0]).toMatchObject({ captured: 20, added: 20, delivered: 40 });
    },
  );

  it.each(places)('that fails and is retried loses the frame alone: %s', async (where) => {
    const { branches } = await runScenario(time, where, breaks, { after: retry() });
    expect(branches[0]).toMatchObject({ delivered: 19, failed: 1 });
  });

  it.each(places)('may hold frames for a while after its input has ended: %s', async (where) => {
    const { branches } = await runScenario(time, where, delay(5000), {});
    expect(branches[0]?.delivered).toBe(20);
  });

  it.each(places)('may subscribe late: %s', async (where) => {
    const late: FrameOperator = (input) => timer(50).pipe(switchMap(() => input));
    const { branches } = await runScenario(time, where, late, {});
    expect(branches[0]?.delivered).toBe(20);
  });

  it.each(places)('that returns no Observable is named: %s', async (where) => {
    const { error } = await runScenario(time, where, (() => 5) as never, {});
    expect(error?.message).toMatch(/^returned no Observable/);
    expect(error?.at).toMatch(/operators\[0\] operator$|operators\[0\] tested$/);
  });

  it.each(places)('that throws at once is named: %s', async (where) => {
    const throws: FrameOperator = () => {
      throw new Error('not today');
    };
    const { error } = await runScenario(time, where, throws, {});
    expect(error).toMatchObject({ code: 'OPERATOR', message: 'not today' });
  });
});
