import { describe, expect, it } from 'vitest';
import { type Numbered, Reorder } from '../../src/nats/reorder.ts';
import { VirtualClock } from '../../src/testing.ts';
import { fc } from '../support/property.ts';

function reorder({ limit = 10, deadlineMs = 100 } = {}) {
  const clock = new VirtualClock();
  const out: string[] = [];
  const late: number[] = [];
  const one = new Reorder<Numbered>({
    clock,
    deadlineMs,
    limit,
    release: ({ series, seq }) => out.push(`${series}${seq}`),
    late: ({ seq }) => late.push(seq),
  });
  const add = (seq: number, { series = 'a', run = '1', dropped = 0 } = {}) =>
    one.add({ series, run, seq, dropped });
  return { clock, out, late, add, one };
}

describe('Reorder', () => {
  it('lets what is in order pass at once', () => {
    const { out, add, one } = reorder();
    for (const seq of [0, 1, 2]) add(seq);
    expect(out).toEqual(['a0', 'a1', 'a2']);
    expect(one.waiting).toBe(0);
  });

  it('holds what is early until what is missing has come', () => {
    const { out, add, one } = reorder();
    for (const seq of [0, 3, 2]) add(seq);
    expect([out, one.waiting]).toEqual([['a0'], 2]);
    add(1);
    expect(out).toEqual(['a0', 'a1', 'a2', 'a3']);
  });

  it('waits for a gap no longer than the deadline, and calls what comes then late', async () => {
    const { clock, out, late, add } = reorder();
    add(0);
    add(2);
    await clock.advance(60);
    add(5);
    await clock.advance(39);
    expect(out).toEqual(['a0']);
    await clock.advance(1);
    expect(out).toEqual(['a0', 'a2']);
    add(1);
    expect(late).toEqual([1]);
    await clock.advance(60);
    expect(out).toEqual(['a0', 'a2', 'a5']);
  });

  it('does not wait for what the publisher has never sent', () => {
    const { out, add } = reorder();
    add(0);
    add(5, { dropped: 4 });
    add(6);
    expect(out).toEqual(['a0', 'a5', 'a6']);
  });

  it('does not know whether something precedes the first, unless that is number 0', async () => {
    const { clock, out, add } = reorder();
    add(7);
    expect(out).toEqual([]);
    add(6);
    await clock.advance(100);
    expect(out).toEqual(['a6', 'a7']);
  });

  it('lets the earliest go on when too many wait', () => {
    const { out, add } = reorder({ limit: 2 });
    for (const seq of [0, 9, 5, 3]) add(seq);
    expect(out).toEqual(['a0', 'a3']);
  });

  it('calls what comes twice late', () => {
    const { out, late, add } = reorder();
    for (const seq of [0, 2, 2, 0]) add(seq);
    expect([out, late]).toEqual([['a0'], [2, 0]]);
  });

  it('keeps series apart', () => {
    const { out, add } = reorder();
    add(0);
    add(0, { series: 'b' });
    add(2);
    add(1, { series: 'b' });
    expect(out).toEqual(['a0', 'b0', 'b1']);
  });

  it('begins anew with a publisher that has restarted, and takes nothing of the old one', () => {
    const { out, late, add } = reorder();
    add(0);
    add(2);
    add(0, { run: '2' });
    expect(out).toEqual(['a0', 'a2', 'a0']);
    add(1);
    add(1, { run: '2' });
    expect([out.at(-1), late]).toEqual(['a1', [1]]);
  });

  it('flush lets everything go, in order', () => {
    const { out, add, one } = reorder();
    for (const seq of [4, 2]) add(seq);
    one.flush();
    expect(out).toEqual(['a2', 'a4']);
  });

  it('gives each number once, rising, whatever the order', async () => {
    const orders = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 20 });
    const steps = fc.array(fc.nat(50), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(orders, steps, async (seqs, pauses) => {
        const { clock, out, late, add, one } = reorder({ limit: 4 });
        for (const [i, seq] of seqs.entries()) {
          add(seq);
          expect(one.waiting).toBeLessThanOrEqual(4);
          await clock.advance(pauses[i] as number);
        }
        await clock.advance(100);
        const released = out.map((text) => Number(text.slice(1)));
        expect(released).toEqual(released.toSorted((a, b) => a - b));
        expect([...released, ...late].toSorted((a, b) => a - b)).toEqual(
          seqs.toSorted((a, b) => a - b),
        );
      }),
    );
  });
});
