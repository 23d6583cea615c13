import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Gate } from '../../src/core/gate.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { blockHeadroom, FrameQueue } from '../../src/runtime/frame-queue.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

let clock: VirtualClock;
let gate: Gate;
let drops: string[];

beforeEach(() => {
  clock = new VirtualClock();
  gate = new Gate();
  drops = [];
});

function queue(options: QueueOptions): FrameQueue {
  const dropped = (n: number, reason: string) => {
    for (let i = 0; i < n; i++) drops.push(reason);
  };
  return new FrameQueue(options, { path: 'here', clock, gate, dropped });
}

function frame(seq: number) {
  return { ...imageFrame(2, 2, seq), capturedAt: clock.wall() };
}

describe('FrameQueue', () => {
  it('holds the gate from its limit on, and opens it when there is room', () => {
    const q = queue({ limit: 2, whenFull: 'block' });
    q.push(frame(0));
    expect(gate.open).toBe(true);
    q.push(frame(1));
    expect(gate.open).toBe(false);
    expect(gate.holders).toEqual(['here']);
    expect(q.take()?.seq).toBe(0);
    expect(gate.open).toBe(true);
  });

  it('takes late frames beyond a block limit, but never without bound', () => {
    const q = queue({ limit: 1, whenFull: 'block' });
    for (let seq = 0; seq < 1 + blockHeadroom + 3; seq++) q.push(frame(seq));
    expect(q.length).toBe(1 + blockHeadroom);
    expect(drops).toEqual(['queue overrun', 'queue overrun', 'queue overrun']);
  });

  it('keeps the gate held until it is below its limit again', () => {
    const q = queue({ limit: 2, whenFull: 'block' });
    for (let seq = 0; seq < 4; seq++) q.push(frame(seq));
    q.take();
    expect([q.length, gate.open]).toEqual([3, false]);
    q.take();
    expect([q.length, gate.open]).toEqual([2, false]);
    q.take();
    expect([q.length, gate.open]).toEqual([1, true]);
  });

  it('drops the oldest or the newest, and never holds the gate', () => {
    const oldest = queue({ limit: 2, whenFull: 'drop-oldest' });
    const newest = queue({ limit: 2, whenFull: 'drop-newest' });
    for (let seq = 0; seq < 4; seq++) {
      oldest.push(frame(seq));
      newest.push(frame(seq));
    }
    expect(gate.open).toBe(true);
    expect([oldest.take()?.seq, oldest.take()?.seq]).toEqual([2, 3]);
    expect([newest.take()?.seq, newest.take()?.seq]).toEqual([0, 1]);
    expect(drops).toEqual(Array(4).fill('queue full'));
  });

  it('passes on nothing older than max-age', async () => {
    const q = queue({ limit: 5, whenFull: 'block', maxAgeMs: 100 });
    q.push(frame(0));
    await clock.advance(60);
    q.push(frame(1));
    await clock.advance(60);
    expect(q.take()?.seq).toBe(1);
    expect(drops).toEqual(['too old']);
  });

  it('passes on a frame of exactly max-age', async () => {
    const q = queue({ limit: 5, whenFull: 'block', maxAgeMs: 100 });
    q.push(frame(0));
    await clock.advance(100);
    expect(q.take()?.seq).toBe(0);
    expect(drops).toEqual([]);
  });

  it('does not take a clock that was set back for age', async () => {
    const q = queue({ limit: 5, whenFull: 'block', maxAgeMs: 100 });
    q.push({ ...frame(0), capturedAt: clock.wall() + 10_000_000_000n });
    expect(q.take()?.seq).toBe(0);
  });

  it('counts what it is cleared of and opens the gate', () => {
    const q = queue({ limit: 1, whenFull: 'block' });
    q.push(frame(0));
    q.clear('stopped');
    expect(gate.open).toBe(true);
    expect(drops).toEqual(['stopped']);
    expect(q.take()).toBeUndefined();
  });
});

it('an empty FrameQueue that is cleared reports no drop', () => {
  const dropped = vi.fn();
  const q = new FrameQueue({ limit: 1, whenFull: 'block' }, { path: 'here', clock, gate, dropped });
  q.clear('stopped');
  expect(dropped).not.toHaveBeenCalled();
});

describe('Gate', () => {
  it('opens only when the last holder lets go', async () => {
    gate.hold('a');
    gate.hold('b');
    let opened = false;
    const waiting = gate.opened().then(() => {
      opened = true;
    });
    gate.release('a');
    await clock.advance(0);
    expect(opened).toBe(false);
    gate.release('b');
    await waiting;
    expect(opened).toBe(true);
  });

  it('lets a waiting source go when it is stopped', async () => {
    const stop = new AbortController();
    gate.hold('a');
    const waiting = gate.opened(stop.signal);
    stop.abort();
    await waiting;
    expect(gate.open).toBe(false);
  });
});
