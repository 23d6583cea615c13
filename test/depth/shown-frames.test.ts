import { expect, test } from 'vitest';
import { ShownFrames } from '../../src/depth/shown-frames.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

test('rate, age and frames that were not shown', async () => {
  const clock = new VirtualClock();
  const shown = new ShownFrames(clock);
  const at = (seq: number) => ({
    ...imageFrame(2, 2, seq),
    capturedAt: clock.wall() - 25_000_000n,
  });
  expect(shown.status(at(10))).toBe('25 ms old');
  await clock.advance(100);
  expect(shown.status(at(11))).toBe('10.0 fps · 25 ms old');
  await clock.advance(100);
  expect(shown.status(at(14))).toBe('10.0 fps · 25 ms old · 2 not shown');
});
