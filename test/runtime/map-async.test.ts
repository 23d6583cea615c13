import { getEventListeners } from 'node:events';
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
/** Lets promises and what follows from them settle. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
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

  it('keeps the order by default', async () => {
    const clock = new VirtualClock();
    const context = testContext({ clock, queue: waiting });
    const work = (frame: Frame) => sleep(clock, 50 - frame.seq * 10).then(() => frame);
    const stream = from(frames(4)).pipe(mapAsync(work, { concurrency: 4, context }), toArray());
    expect(seqs(await clock.until(firstValueFrom(stream)))).toEqual([0, 1, 2, 3]);
  });

  it('is still there for the next frame when it has nothing to do', async () => {
    const input = new Subject<Frame>();
    const context = testContext({ queue: waiting });
    const received: number[] = [];
    let ended = false;
    input.pipe(mapAsync(same, { context })).subscribe({
      next: ({ seq }) => received.push(seq),
      complete: () => {
        ended = true;
      },
    });
    for (const seq of [0, 1]) {
      input.next(imageFrame(2, 2, seq));
      await settled();
    }
    expect([received, ended]).toEqual([[0, 1], false]);
    input.complete();
    expect(ended).toBe(true);
    expect(context.drops.size).toBe(0);
  });

  it('begins at most twice as many frames as it may work on, while the first is late', async () => {
    const context = testContext({ queue: waiting });
    const begun: number[] = [];
    const work = async (frame: Frame) => {
      begun.push(frame.seq);
      if (frame.seq === 0) await new Promise(() => {});
      return frame;
    };
    from(frames(10))
      .pipe(mapAsync(work, { concurrency: 2, context }))
      .subscribe();
    await settled();
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('leaves out a frame for which its function gives nothing', async () => {
    const context = testContext({ queue: waiting });
    const work = async (frame: Frame) => (frame.seq % 2 === 0 ? frame : undefined);
    const stream = from(frames(5)).pipe(mapAsync(work, { context }), toArray());
    expect(seqs(await firstValueFrom(stream))).toEqual([0, 2, 4]);
  });

  it('ends when its context aborts, and counts what it holds and what still comes', async () => {
    const context = testContext({ queue: waiting });
    const input = new Subject<Frame>();
    let finish: (frame: Frame) => void = () => {};
    let ended = false;
    const received: Frame[] = [];
    input
      .pipe(mapAsync(() => new Promise<Frame>((resolve) => (finish = resolve)), { context }))
      .subscribe({
        next: (frame) => received.push(frame),
        complete: () => {
          ended = true;
          // An operator in front releases what it held.
          input.next(imageFrame(2, 2, 3));
        },
      });
    for (const frame of frames(3)) input.next(frame);
    context.abort();
    expect([ended, context.drops.get('stopped'), context.counts.inFlight]).toEqual([true, 4, 0]);
    finish(imageFrame(2, 2, 0));
    await settled();
    expect([context.drops.get('stopped'), context.counts.inFlight, received]).toEqual([4, 0, []]);
  });

  it('counts a frame only once that fails after the end', async () => {
    const context = testContext({ queue: waiting });
    let fail: (error: Error) => void = () => {};
    const work = () =>
      new Promise<Frame>((_, reject) => {
        fail = reject;
      });
    from(frames(1)).pipe(mapAsync(work, { context })).subscribe().unsubscribe();
    fail(new Error('stopped in the middle'));
    await settled();
    expect([context.counts.failed, context.drops.get('stopped')]).toEqual([0, 1]);
    expect(context.logs).toEqual([]);
  });

  it('leaves no listener on the signal of its context', async () => {
    const context = testContext({ queue: waiting });
    const stream = from(frames(3)).pipe(mapAsync(same, { context }), toArray());
    const subscription = NEVER.pipe(mapAsync(same, { context })).subscribe();
    expect(getEventListeners(context.signal, 'abort')).toHaveLength(1);
    subscription.unsubscribe();
    await firstValueFrom(stream);
    expect(getEventListeners(context.signal, 'abort')).toEqual([]);
  });

  it('asks a function what to do with an error, and ends with the error of that', async () => {
    const work = async (frame: Frame) => {
      if (frame.seq > 0) throw new Error(frame.seq === 1 ? 'small' : 'large');
      return frame;
    };
    const run = (onError: (error: unknown) => 'fail' | 'skip') => {
      const context = testContext({ queue: waiting });
      const stream = from(frames(3)).pipe(mapAsync(work, { context, onError }), toArray());
      return firstValueFrom(stream);
    };
    const bySize = (error: unknown) => ((error as Error).message === 'small' ? 'skip' : 'fail');
    await expect(run(bySize)).rejects.toThrow('large');
    expect(seqs(await run(() => 'skip'))).toEqual([0]);
    const broken = () => {
      throw new Error('cannot decide');
    };
    await expect(run(broken)).rejects.toThrow('cannot decide');
  });

  it('drops the oldest frame outside a pipeline, and warns nobody', async () => {
    const work = async (frame: Frame) => {
      if (frame.seq === 0) throw new Error('bad frame');
      return frame;
    };
    const stream = from(frames(5)).pipe(mapAsync(work, { onError: 'skip' }), toArray());
    expect(seqs(await firstValueFrom(stream))).toEqual([4]);
  });
});
