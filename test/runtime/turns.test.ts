import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/runtime/turns.ts';

/** Members that always have work: each takes a turn when it is woken, and notes it. */
function busy(turns: Turns, names: readonly string[], most: number) {
  const order: string[] = [];
  const held: (() => void)[] = [];
  for (const name of names) {
    const take = () => {
      for (let done = turn.take(most); done; done = turn.take(most)) {
        order.push(name);
        held.push(done);
      }
    };
    const turn = turns.join(take);
    take();
  }
  return { order, next: () => held.shift()?.() };
}

describe('turns', () => {
  it('go round among those that have work', () => {
    const { order, next } = busy(new Turns(), ['a', 'b', 'c'], 1);
    for (let n = 0; n < 8; n++) next();
    expect(order.join('')).toBe('abcabcabc');
  });

  it('go round with several workers too', () => {
    const { order, next } = busy(new Turns(), ['a', 'b', 'c', 'd'], 2);
    for (let n = 0; n < 8; n++) next();
    // The first found both workers free, and was first in line for the next.
    expect(order.join('')).toBe('aabcdabcda');
  });

  it('pass over one that has nothing left when its turn comes', () => {
    const turns = new Turns();
    const order: string[] = [];
    const first = turns.join(() => {});
    const empty = turns.join(() => order.push('empty'));
    const last = turns.join(() => {
      if (last.take(1)) order.push('last');
    });
    const done = first.take(1);
    expect([empty.take(1), last.take(1)]).toEqual([undefined, undefined]);
    done?.();
    expect(order).toEqual(['empty', 'last']);
  });

  it('wait for nobody who has left', () => {
    const turns = new Turns();
    const first = turns.join(() => {});
    const left = turns.join(() => expect.unreachable());
    const last = turns.join(() => void last.take(1));
    const done = first.take(1);
    left.take(1);
    last.take(1);
    left.leave();
    done?.();
    expect(first.take(1)).toBeUndefined();
  });

  it('come to one that may have more workers while another may not', () => {
    const turns = new Turns();
    const order: string[] = [];
    const narrow = turns.join(() => {
      if (narrow.take(1)) order.push('narrow');
    });
    const wide = turns.join(() => {
      if (wide.take(2)) order.push('wide');
    });
    const done = [wide.take(2), wide.take(2)];
    expect([narrow.take(1), wide.take(2)]).toEqual([undefined, undefined]);
    // One is still taken, which is all that the first in line allows.
    done[0]?.();
    expect(order).toEqual([]);
    done[1]?.();
    expect(order).toEqual(['narrow', 'wide']);
  });

  it('go round with several frames in a call too, each frame in the call of those before it', async () => {
    const { order, next } = busy(new Turns(3), ['a', 'b', 'c', 'd', 'e'], 1);
    // The first was alone there.
    await setImmediate();
    for (let n = 0; n < 9; n++) next();
    expect(order.join('')).toBe('aaabcdeabcde');
  });

  it('come to those that are there when a call begins, and wait for nobody', async () => {
    const turns = new Turns(4);
    const [a, b, late] = [turns.join(() => {}), turns.join(() => {}), turns.join(() => {})];
    const both = [a.take(1), b.take(1)];
    expect(both).not.toContain(undefined);
    await setImmediate();
    expect(late.take(1)).toBeUndefined();
    // The worker is busy until the last frame of its call is done.
    both[0]?.();
    expect(late.take(1)).toBeUndefined();
    both[1]?.();
    expect(late.take(1)).toBeDefined();
  });
});
