import { expect, it } from 'vitest';
import { CrashBudget } from '../../../src/gstreamer/output/crash-budget.ts';
import { OutputCrashed } from '../../../src/gstreamer/output/output-process.ts';
import { VirtualClock } from '../../../src/runtime/virtual-clock.ts';
import { testContext } from '../../support/context.ts';

const crash = new OutputCrashed('SINK', 'the process ended');

/** A budget, and the pauses before the restarts that it allowed. */
function budget() {
  const clock = new VirtualClock();
  const context = testContext({ clock });
  const crashes = new CrashBudget(context, 'the encoder process');
  const pauses: number[] = [];
  const restart = async () => {
    const before = clock.now();
    await clock.until(crashes.restart(crash));
    pauses.push(clock.now() - before);
  };
  return { context, crashes, pauses, restart };
}

it('allows five restarts in a row, the first at once, then ever later', async () => {
  const { context, pauses, restart } = budget();
  for (let n = 0; n < 5; n++) await restart();
  expect(pauses).toEqual([0, 100, 200, 400, 800]);
  expect(context.counts.restarts).toHaveLength(5);
  await expect(restart()).rejects.toMatchObject({
    name: 'SinkLost',
    message: 'the process ended; given up after 5 restarts in a row',
  });
  expect(context.counts.restarts).toHaveLength(5);
});

it('counts from 0 again after ten frames, and not before', async () => {
  const { crashes, pauses, restart } = budget();
  for (const frames of [0, 9, 10, 0]) {
    for (let n = 0; n < frames; n++) crashes.delivered();
    await restart();
  }
  expect(pauses).toEqual([0, 100, 0, 100]);
});

it('restarts nothing when the run stops', async () => {
  const { context, restart } = budget();
  context.abort();
  await expect(restart()).rejects.toMatchObject({ name: 'SinkLost' });
});
