import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/core/gate.ts';

/** Whether a promise has resolved by now. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await Promise.resolve();
  await Promise.resolve();
  return over;
}

describe('a gate', () => {
  it('is open until it is held', async () => {
    const gate = new Gate();
    expect(gate.open).toBe(true);
    expect(await isOver(gate.opened())).toBe(true);
    gate.hold('file');
    expect(gate.open).toBe(false);
    expect(await isOver(gate.opened())).toBe(false);
  });

  it('opens when its last holder releases it, for everyone who waits', async () => {
    const gate = new Gate();
    gate.hold('file');
    gate.hold('video');
    gate.hold('file');
    expect(gate.holders).toEqual(['file', 'video']);
    const waiting = [gate.opened(), gate.opened()];
    gate.release('file');
    expect(await Promise.all(waiting.map(isOver))).toEqual([false, false]);
    gate.release('video');
    expect(await Promise.all(waiting.map(isOver))).toEqual([true, true]);
    expect(gate.open).toBe(true);
  });

  it('ignores a release by someone who does not hold it', async () => {
    const gate = new Gate();
    gate.hold('file');
    const waiting = gate.opened();
    gate.release('video');
    expect(gate.holders).toEqual(['file']);
    expect(await isOver(waiting)).toBe(false);
  });

  it('lets a waiting source go when its signal aborts, and stays held', async () => {
    const gate = new Gate();
    gate.hold('file');
    const stop = new AbortController();
    const waiting = gate.opened(stop.signal);
    stop.abort();
    expect(await isOver(waiting)).toBe(true);
    expect(await isOver(gate.opened(stop.signal))).toBe(true);
    expect(gate.open).toBe(false);
  });

  it('leaves no listener on the signal of a source that waited', async () => {
    const gate = new Gate();
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) {
      gate.hold('file');
      const waiting = gate.opened(signal);
      gate.release('file');
      await waiting;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
