import { expect, test } from 'vitest';
import { frameKinds } from '../../src/core/frame.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';

test('takes every kind of frame at once', async () => {
  const sink = await discard.create(discard.options.parse({}), testContext());
  expect(discard.accepts).toEqual(frameKinds);
  expect(sink?.write(depthFrame())).toBeUndefined();
});
