import { describe, expect, test } from 'vitest';
import { Pairing, type Side } from '../../src/stereo/pairing.ts';
import { fc } from '../support/property.ts';

const ms = (value: number) => BigInt(Math.round(value * 1e6));

/** Adds frames named by their times, `l0` or `r3.5`, in the order given; tells what came of them. */
function add(pairing: Pairing<string>, ...frames: string[]) {
  const pairs: string[] = [];
  let alone = 0;
  for (const name of frames) {
    const side: Side = name.startsWith('l') ? 'left' : 'right';
    const added = pairing.add(side, { item: name, time: ms(Number(name.slice(1))) });
    pairs.push(...added.pairs.map((pair) => pair.join(' ')));
    alone += added.alone;
  }
  return { pairs, alone };
}

describe('pairing', () => {
  test('takes frames within the skew, in whatever order the sides come', () => {
    const pairing = new Pairing<string>(ms(5), 8);
    expect(add(pairing, 'l0', 'r4', 'r36', 'l33', 'l66', 'l99', 'r66', 'r104')).toEqual({
      pairs: ['l0 r4', 'l33 r36', 'l66 r66', 'l99 r104'],
      alone: 0,
    });
  });

  test('gives up a frame once the other side is past it', () => {
    const pairing = new Pairing<string>(ms(5), 8);
    expect(add(pairing, 'l0', 'r5.001')).toEqual({ pairs: [], alone: 1 });
    expect(add(pairing, 'l33', 'l40', 'r40')).toEqual({ pairs: ['l40 r40'], alone: 2 });
  });

  test('chooses the nearer of two partners', () => {
    const pairing = new Pairing<string>(ms(20), 8);
    expect(add(pairing, 'l0', 'l10', 'r9')).toEqual({ pairs: ['l10 r9'], alone: 1 });
  });

  test('a side that stops costs no memory, and the other one finds its partners again', () => {
    const pairing = new Pairing<string>(ms(5), 4);
    const running = Array.from({ length: 30 }, (_, n) => `l${n * 33}`);
    expect(add(pairing, ...running)).toEqual({ pairs: [], alone: 26 });
    expect(pairing.waiting('left')).toBe(4);
    expect(add(pairing, 'r990', 'l990')).toEqual({ pairs: ['l990 r990'], alone: 4 });
  });

  test('a clock that was set back begins anew', () => {
    const pairing = new Pairing<string>(ms(5), 8);
    expect(add(pairing, 'l1000', 'l0', 'r1')).toEqual({ pairs: ['l0 r1'], alone: 1 });
  });

  test('two clocks that drift apart pair while they are near, and count the rest', () => {
    const pairing = new Pairing<string>(ms(5), 8);
    const frames: { name: string; time: number }[] = [];
    for (let n = 0; n < 300; n++) frames.push({ name: `l${n * 33}`, time: n * 33 });
    for (let n = 0; n < 300; n++) frames.push({ name: `r${n * 33.1}`, time: n * 33.1 });
    const { pairs, alone } = add(
      pairing,
      ...frames.toSorted((a, b) => a.time - b.time).map(({ name }) => name),
    );
    expect(pairs.slice(0, 51).at(-1)).toBe('l1650 r1655');
    // Towards a whole cycle the frame before is near enough again.
    expect(pairs.length).toBe(70);
    expect(2 * pairs.length + alone + pairing.clear()).toBe(600);
    for (const pair of pairs) {
      const [left, right] = pair.split(' ').map((name) => Number(name.slice(1)));
      expect(Math.abs((left as number) - (right as number))).toBeLessThanOrEqual(5);
    }
  });

  test('accounts for every frame, whatever comes', () => {
    const step = fc.record({
      side: fc.constantFrom<Side>('left', 'right'),
      after: fc.integer({ min: -20, max: 60 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        (steps, room) => {
          const pairing = new Pairing<Side>(ms(5), room);
          let [time, paired, alone] = [0, 0, 0];
          for (const { side, after } of steps) {
            time += after;
            const added = pairing.add(side, { item: side, time: ms(time) });
            paired += added.pairs.length;
            alone += added.alone;
            for (const pair of added.pairs) expect(pair).toEqual(['left', 'right']);
            expect(pairing.waiting('left')).toBeLessThanOrEqual(room);
            expect(pairing.waiting('right')).toBeLessThanOrEqual(room);
          }
          expect(2 * paired + alone + pairing.clear()).toBe(steps.length);
        },
      ),
    );
  });
});
