import { describe, expect, it } from 'vitest';
import { type Turn, Turns } from '../../src/runtime/turns.ts';

/** Members that always have work: each takes a turn when it is woken, and notes it. */
function busy(turns: Turns, names: readonly string[], most: number) {
  const order: string[] = [];
  const held: Turn[] = [];
  for (const name of names) {
    const take = () => {
      while (turn.take(most)) {
        order.push(name);
        held.push(turn);
      }
    };
    const turn = turns.join(take);
    take();
  }
  return { order, next: () => held.shift()?.done() };
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
    expect([first.take(1), empty.take(1), last.take(1)]).toEqual([true, false, false]);
    first.done();
    expect(order).toEqual(['empty', 'last']);
  });

  it('wait for nobody who has left', () => {
    const turns = new Turns();
    const first = turns.join(() => {});
    const left = turns.join(() => expect.unreachable());
    const last = turns.join(() => void last.take(1));
    first.take(1);
    left.take(1);
    last.take(1);
    left.leave();
    first.done();
    expect(first.take(1)).toBe(false);
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
    expect([wide.take(2), wide.take(2)]).toEqual([true, true]);
    expect([narrow.take(1), wide.take(2)]).toEqual([false, false]);
    // One is still taken, which is all that the first in line allows.
    wide.done();
    expect(order).toEqual([]);
    wide.done();
    expect(order).toEqual(['narrow', 'wide']);
  });
});
