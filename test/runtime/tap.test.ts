import { Subject, take } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { Gate } from '../../src/core/gate.ts';
import { Tap } from '../../src/runtime/tap.ts';
import { imageFrame } from '../support/frames.ts';

function made() {
  const gate = new Gate();
  const onSubscribed = vi.fn();
  return { gate, onSubscribed, tap: new Tap(gate, 'nobody', onSubscribed) };
}

describe('a tap', () => {
  it('holds its gate from its opening on, while nobody is subscribed', () => {
    const { gate, tap } = made();
    expect(gate.holders).toEqual([]);
    tap.open();
    expect(gate.holders).toEqual(['nobody']);
    const subscription = tap.frames.subscribe();
    expect(gate.holders).toEqual([]);
    tap.open();
    expect(gate.holders).toEqual([]);
    subscription.unsubscribe();
    expect(gate.holders).toEqual(['nobody']);
  });

  it('says whether somebody has taken a frame', () => {
    const { tap, onSubscribed } = made();
    expect(tap.push(imageFrame(2, 2, 0))).toBe(false);
    const seqs: number[] = [];
    const subscription = tap.frames.subscribe(({ seq }) => seqs.push(seq));
    expect(onSubscribed).toHaveBeenCalledOnce();
    expect(tap.subscribed).toBe(true);
    expect(tap.push(imageFrame(2, 2, 1))).toBe(true);
    subscription.unsubscribe();
    expect(tap.subscribed).toBe(false);
    expect(tap.push(imageFrame(2, 2, 2))).toBe(false);
    expect(seqs).toEqual([1]);
  });

  it('gives frames to the newest subscriber, which the end of an older one does not disturb', () => {
    const { gate, tap } = made();
    const [first, second]: [number[], number[]] = [[], []];
    const older = tap.frames.subscribe(({ seq }) => first.push(seq));
    tap.frames.subscribe(({ seq }) => second.push(seq));
    tap.push(imageFrame(2, 2, 0));
    older.unsubscribe();
    expect([tap.push(imageFrame(2, 2, 1)), gate.open]).toEqual([true, true]);
    expect([first, second]).toEqual([[], [0, 1]]);
  });

  it('can push while it tells of a subscription', () => {
    const gate = new Gate();
    const tap: Tap = new Tap(gate, 'nobody', () => tap.push(imageFrame(2, 2, 7)));
    const seqs: number[] = [];
    tap.frames.pipe(take(1)).subscribe(({ seq }) => seqs.push(seq));
    expect(seqs).toEqual([7]);
  });

  it('completes once, also for those that come later, and holds nothing then', () => {
    const { gate, tap, onSubscribed } = made();
    const end = new Subject<string>();
    const ends: string[] = [];
    end.subscribe((name) => ends.push(name));
    const early = tap.frames.subscribe({ complete: () => end.next('early') });
    tap.complete();
    early.unsubscribe();
    expect([ends, gate.holders]).toEqual([['early'], []]);
    tap.frames.subscribe({ complete: () => end.next('late') });
    tap.open();
    expect([ends, gate.holders]).toEqual([['early', 'late'], []]);
    expect(onSubscribed).toHaveBeenCalledOnce();
  });

  it('releases the gate when it completes without a subscriber', () => {
    const { gate, tap } = made();
    tap.open();
    tap.complete();
    expect(gate.holders).toEqual([]);
  });
});
