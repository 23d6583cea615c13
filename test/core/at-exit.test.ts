import { expect, it, vi } from 'vitest';
import { atExit } from '../../src/core/at-exit.ts';

it('does at the exit what was not taken back, with one listener', () => {
  const before = process.listeners('exit');
  const acts = Array.from({ length: 20 }, () => vi.fn());
  const takeBack = acts.map((act) => atExit(act));
  const [listener, ...more] = process.listeners('exit').filter((one) => !before.includes(one));
  expect(more).toEqual([]);
  takeBack[3]?.();
  listener?.call(process, 0);
  expect(acts.map(({ mock }) => mock.calls.length)).toEqual(acts.map((_, n) => (n === 3 ? 0 : 1)));
  for (const take of takeBack) take();
  expect(process.listeners('exit')).toEqual(before);
});
