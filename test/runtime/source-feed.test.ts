import { EMPTY, from, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { SourceFeed } from '../../src/runtime/source-feed.ts';
import { SourcePace } from '../../src/runtime/source-pace.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

const frames = (n: number) => Array.from({ length: n }, (_, seq) => imageFrame(2, 2, seq));

function made(source: Observable<Frame>, limit?: number) {
  const gate = new Gate();
  const ledger = new StageLedger('camera');
  const pace = new SourcePace(new VirtualClock(), gate);
  const emitted = vi.spyOn(pace, 'emitted');
  const errors: { code: string; at?: string | undefined; message: string }[] = [];
  const onEnd = vi.fn();
  const received: number[] = [];
  /** Each frame before it went to the operators, with how many they had then. */
  const announced: [seq: number, received: number][] = [];
  const feed = new SourceFeed({
    ...{ source, ledger, gate, pace, limit, onEnd },
    onFrame: ({ seq }) => announced.push([seq, received.length]),
    onError: (error) => errors.push(error),
  });
  const onComplete = vi.fn();
  const subscribe = () =>
    feed.frames.subscribe({ next: ({ seq }) => received.push(seq), complete: onComplete });
  const counts = () => [ledger.entered, ledger.left, Object.fromEntries(ledger.dropped)];
  return { gate, feed, errors, onEnd, received, onComplete, subscribe, counts, emitted, announced };
}

describe('the feed of a source', () => {
  it('subscribes to the source when the first operator subscribes, and only then', () => {
    let subscriptions = 0;
    const source = new Observable<Frame>(() => {
      subscriptions++;
    });
    const { subscribe } = made(source);
    expect(subscriptions).toBe(0);
    subscribe();
    subscribe();
    expect(subscriptions).toBe(1);
  });

  it('counts frames and ends with its source, once', () => {
    const { feed, subscribe, received, counts, emitted, announced, ...on } = made(from(frames(3)));
    subscribe();
    expect(feed.over).toBe(true);
    feed.stop();
    expect(emitted).toHaveBeenCalledTimes(3);
    expect(announced).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(received).toEqual([0, 1, 2]);
    expect(counts()).toEqual([3, 3, {}]);
    expect([on.onEnd.mock.calls.length, on.onComplete.mock.calls.length]).toEqual([1, 1]);
  });

  it('ends an empty source', () => {
    const { subscribe, onEnd, feed } = made(EMPTY, 5);
    subscribe();
    expect(onEnd).toHaveBeenCalledOnce();
    expect(feed.limitReached).toBe(false);
  });

  it('takes no more frames than asked for, also from a source that does not stop at once', () => {
    const source = new Observable<Frame>((subscriber) => {
      for (const frame of frames(10)) subscriber.next(frame);
    });
    const unsubscribed = vi.fn();
    const watched = new Observable<Frame>((subscriber) => {
      subscriber.add(unsubscribed);
      return source.subscribe(subscriber);
    });
    const { feed, subscribe, received, counts, onEnd } = made(watched, 4);
    subscribe();
    expect(received).toEqual([0, 1, 2, 3]);
    expect(counts()).toEqual([4, 4, {}]);
    expect(feed.limitReached).toBe(true);
    expect([onEnd.mock.calls.length, unsubscribed.mock.calls.length]).toEqual([1, 1]);
  });

  it('unsubscribes from its source when it is stopped, and hears nothing of it then', () => {
    const source = new Subject<Frame>();
    const { feed, subscribe, received, errors, onEnd } = made(source);
    subscribe();
    source.next(imageFrame(2, 2, 0));
    feed.stop();
    expect(source.observed).toBe(false);
    source.next(imageFrame(2, 2, 1));
    source.error(new Error('too late'));
    expect([received, errors, onEnd.mock.calls.length]).toEqual([[0], [], 1]);
  });

  it('ignores a source that fails in its teardown', () => {
    const source = new Observable<Frame>((subscriber) => {
      const { next, error } = subscriber;
      return () => {
        next.call(subscriber, imageFrame(2, 2, 9));
        error.call(subscriber, new Error('too late'));
      };
    });
    const { feed, subscribe, received, errors, counts } = made(source);
    subscribe();
    feed.stop();
    expect([received, errors, counts()]).toEqual([[], [], [0, 0, {}]]);
  });

  it('never subscribes to a source that was stopped before', () => {
    const { feed, subscribe, received, onComplete } = made(from(frames(3)));
    feed.stop();
    subscribe();
    expect([received, onComplete.mock.calls.length]).toEqual([[], 1]);
  });

  it('drops frames that come while no operator is subscribed, counted', () => {
    const source = new Subject<Frame>();
    const { gate, subscribe, counts, announced } = made(source);
    const subscription = subscribe();
    source.next(imageFrame(2, 2, 0));
    subscription.unsubscribe();
    expect(gate.holders).toEqual(['operators (not subscribed)']);
    source.next(imageFrame(2, 2, 1));
    expect(counts()).toEqual([2, 1, { 'operators not subscribed': 1 }]);
    expect(announced).toEqual([[0, 0]]);
  });

  it('names the source of an error, and ends', () => {
    const { subscribe, errors, onEnd, onComplete } = made(throwError(() => new Error('no camera')));
    subscribe();
    expect(errors).toMatchObject([{ code: 'SOURCE', at: 'source camera', message: 'no camera' }]);
    expect([onEnd.mock.calls.length, onComplete.mock.calls.length]).toEqual([1, 1]);
  });

  it('refuses what is no frame, and hears no more of that source', () => {
    const { subscribe, errors, counts, received } = made(
      of({ kind: 'nothing' } as never, imageFrame(2, 2, 1), { kind: 'less' } as never),
    );
    subscribe();
    expect(errors.map(({ message }) => message)).toEqual([
      'emitted an object whose kind is "nothing"; a source must emit frames',
    ]);
    expect([counts(), received]).toEqual([[0, 0, {}], []]);
  });

  it('that gives nothing stays open', () => {
    const { subscribe, onEnd } = made(NEVER);
    subscribe();
    expect(onEnd).not.toHaveBeenCalled();
  });
});
