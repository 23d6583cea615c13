import { EMPTY, firstValueFrom, from, NEVER, of, Subject, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/core/clock.ts';
import type { Frame } from '../../src/core/frame.ts';
import { mapAsync } from '../../src/runtime/map-async.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';

const frames = (n: number) => Array.from({ length: n }, (_, seq) => imageFrame(2, 2, seq));
const seqs = (list: readonly Frame[]) => list.map((frame) => frame.seq);
const same = async (frame: Frame) => frame;
const waiting = { limit: 100, whenFull: 'block' } as const;

describe('mapAsync', () => {
  it('passes on nothing of nothing, and ends when its input ends', async () => {
    expect(await firstValueFrom(EMPTY.pipe(mapAsync(same), toArray()))).toEqual([]);
  });

  it('works on one and on many', async () => {
    const context = testContext({ queue: waiting });
    const one = of(imageFrame(2, 2, 5)).pipe(mapAsync(same, { context }), toArray());
    expect(seqs(await firstValueFrom(one))).toEqual([5]);
    const many = from(frames(20)).pipe(mapAsync(same, { context }), toArray());
    expect(seqs(await firstValueFrom(many))).toEqual(seqs(frames(20)));
  });

  it('never completes before its input does', async () => {
    const clock = new VirtualClock();
    let ended = false;
    const subscription = NEVER.pipe(mapAsync(same)).subscribe({
      complete() {
        ended = true;
      },
    });
    await clock.advance(1000);
    subscription.unsubscribe();
    expect(ended).toBe(false);
  });

  it('keeps the order of frames although later ones are done first, unless told not to', async () => {
    const clock = new VirtualClock();
    const work = async (frame: Frame) => {
      await sleep(clock, 50 - frame.seq * 10);
      return frame;
    };
    const run = (ordered: boolean) => {
      const context = testContext({ clock, queue: waiting });
      const stream = from(frames(4)).pipe(
        mapAsync(work, { concurrency: 4, ordered, context }),
        toArray(),
      );
      return clock.until(firstValueFrom(stream));
    };
    expect(seqs(await run(true))).toEqual([0, 1, 2, 3]);
    expect(seqs(await run(false))).toEqual([3, 2, 1, 0]);
  });

  it('never works on more frames at once than it may', async () => {
    const clock = new VirtualClock();
    const context = testContext({ clock, queue: waiting });
    let now = 0;
    let most = 0;
    const work = async (frame: Frame) => {
      most = Math.max(most, ++now);
      await sleep(clock, 10);
      now--;
      return frame;
    };
    const stream = from(frames(12)).pipe(mapAsync(work, { concurrency: 3, context }), toArray());
    expect(await clock.until(firstValueFrom(stream))).toHaveLength(12);
    expect(most).toBe(3);
  });

  it('closes the gate while its queue is full', async () => {
    const clock = new VirtualClock();
    const context = testContext({ clock });
    const input = new Subject<Frame>();
    const work = (frame: Frame) => sleep(clock, 10).then(() => frame);
    const subscription = input.pipe(mapAsync(work, { context })).subscribe();
    input.next(imageFrame(2, 2, 0));
    expect(context.gate.open).toBe(true);
    input.next(imageFrame(2, 2, 1));
    expect(context.gate.open).toBe(false);
    expect(context.counts.inFlight).toBe(2);
    await clock.advance(10);
    expect(context.gate.open).toBe(true);
    subscription.unsubscribe();
  });

  it('gives up what it holds when it is unsubscribed, counted', async () => {
    const clock = new VirtualClock();
    const context = testContext({ clock, queue: waiting });
    const work = (frame: Frame) => sleep(clock, 10).then(() => frame);
    from(frames(5)).pipe(mapAsync(work, { context })).subscribe().unsubscribe();
    expect(context.drops.get('stopped')).toBe(5);
    expect(context.counts.inFlight).toBe(0);
  });

  it('hands an error of its input on', async () => {
    const stream = throwError(() => new Error('no camera')).pipe(mapAsync(same), toArray());
    await expect(firstValueFrom(stream)).rejects.toThrow('no camera');
  });

  it('ends with the error of its function, or counts the frame and goes on', async () => {
    const work = async (frame: Frame) => {
      if (frame.seq === 1) throw new Error('bad frame');
      return frame;
    };
    const failing = testContext({ queue: waiting });
    const ended = from(frames(3)).pipe(mapAsync(work, { context: failing }), toArray());
    await expect(firstValueFrom(ended)).rejects.toThrow('bad frame');
    expect(failing.counts.failed).toBe(1);

    const skipping = testContext({ queue: waiting });
    const going = from(frames(3)).pipe(
      mapAsync(work, { context: skipping, onError: 'skip' }),
      toArray(),
    );
    expect(seqs(await firstValueFrom(going))).toEqual([0, 2]);
    expect(skipping.counts.failed).toBe(1);
    expect(skipping.logs[0]?.message).toBe('frame 1 failed: bad frame');
  });
});
