import { expect, it } from 'vitest';
import { Closings } from '../../src/runtime/closings.ts';

it('run in reverse order, one after the other, once, and give the errors', async () => {
  const closings = new Closings();
  const log: string[] = [];
  const add = (name: string, fails = false) =>
    closings.add(async () => {
      log.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
    });
  add('a', true);
  add('b', true);
  add('c');
  const errors = await closings.run();
  expect(log).toEqual(['c begins', 'c ends', 'b begins', 'b ends', 'a begins', 'a ends']);
  expect(errors.map((error) => (error as Error).message)).toEqual(['b', 'a']);
  expect(await closings.run()).toEqual([]);
  expect(log).toHaveLength(6);
});

it('run at once what is added after they have run', async () => {
  const closings = new Closings();
  await closings.run();
  let closed = false;
  closings.add(() => {
    closed = true;
  });
  expect(closed).toBe(true);
});
