import {
  catchError,
  EMPTY,
  filter,
  map,
  merge,
  type Observable,
  type OperatorFunction,
  of,
  Observable as Rx,
  Subject,
  take,
  throwError,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { DepthlineError } from '../../src/core/errors.ts';
import type { Frame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { ledgered } from '../../src/runtime/stage.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

const frame = (seq: number): Frame => imageFrame(2, 2, seq);

/** What happened to a subscriber: the seq of frames, errors, "complete". */
function watch(stream: Observable<Frame>) {
  const events: unknown[] = [];
  const subscription = stream.subscribe({
    next: ({ seq }) => events.push(seq),
    error: (error) => events.push(error),
    complete: () => events.push('complete'),
  });
  return { events, subscription };
}

function stage(operator: OperatorFunction<Frame, Frame>, source?: Observable<Frame>) {
  const above = new Subject<Frame>();
  const clock = new VirtualClock();
  const gate = new Gate();
  const ledger = Object.assign(new StageLedger('op', true), { inputEnded: true, ended: true });
  let connections = 0;
  const counted = new Rx<Frame>((subscriber) => {
    connections++;
    return (source ?? above).subscribe(subscriber);
  });
  const parts = { ledger, path: 'operators[0] op', gate, clock };
  const output = watch(counted.pipe(ledgered(operator, parts)));
  return { above, clock, gate, ledger, ...output, connections: () => connections };
}

/** A stage whose operator subscribes when the test says so. */
function manual(source?: Observable<Frame>) {
  let input: Observable<Frame> = EMPTY;
  const output = new Subject<Frame>();
  const made = stage((given) => {
    input = given;
    return output;
  }, source);
  return { ...made, subscribe: () => watch(input) };
}

describe('a stage', () => {
  it('counts frames in and out, and knows when its input and itself have ended', () => {
    const output = new Subject<Frame>();
    const { above, events, ledger } = stage((input) => merge(input, output));
    expect(ledger).toMatchObject({ inputEnded: false, ended: false });
    above.next(frame(0));
    above.next(frame(1));
    expect(ledger).toMatchObject({ entered: 2, left: 2, failed: 0 });
    above.complete();
    expect(ledger).toMatchObject({ inputEnded: true, ended: false });
    output.complete();
    expect(ledger).toMatchObject({ inputEnded: true, ended: true });
    expect(events).toEqual([0, 1, 'complete']);
  });

  it('passes on an error from above as it is', () => {
    const { above, events, ledger } = stage(map((one) => one));
    const error = new Error('no camera');
    above.next(frame(0));
    above.error(error);
    expect(events[1]).toBe(error);
    expect(ledger).toMatchObject({ failed: 0, ended: true });
  });

  it.each([new Error('another'), undefined])(
    'puts its name to an error that its operator makes of one from above: %s',
    (error) => {
      const operator = catchError<Frame, Observable<Frame>>(() => throwError(() => error));
      const { above, events } = stage(operator);
      above.error(new Error('no camera'));
      expect(events[0]).toMatchObject({
        ...{ code: 'OPERATOR', at: 'operators[0] op', message: error?.message ?? 'undefined' },
      });
    },
  );

  it('fails on the frame on which its operator throws', () => {
    const { above, events, ledger } = stage(
      map((one) => {
        if (one.seq === 1) throw new Error('bad frame');
        return one;
      }),
    );
    above.next(frame(0));
    above.next(frame(1));
    expect(events).toEqual([0, expect.any(DepthlineError)]);
    expect(ledger).toMatchObject({ entered: 2, left: 1, failed: 1 });
  });

  it('fails on no frame if its operator has passed on all', () => {
    const trigger = new Subject<Frame>();
    const { above, events, ledger } = stage((input) => merge(input, trigger));
    above.next(frame(0));
    trigger.error(new Error('timeout'));
    expect(events).toEqual([0, expect.any(DepthlineError)]);
    expect(ledger.failed).toBe(0);
  });

  it('does not count a failure that its operator has counted', () => {
    const { above, ledger } = stage((input) =>
      input.pipe(
        filter(({ seq }) => seq > 0),
        map(() => {
          ledger.failed++;
          throw new Error('counted');
        }),
      ),
    );
    above.next(frame(0));
    above.next(frame(1));
    expect(ledger.failed).toBe(1);
  });

  it('refuses what is no frame', () => {
    const { above, events, ledger } = stage(map(() => ({ kind: 'x' }) as unknown as Frame));
    above.next(frame(0));
    expect(events[0]).toMatchObject({
      message: 'emitted an object whose kind is "x"; an operator must emit frames',
    });
    expect(ledger).toMatchObject({ entered: 1, left: 0, failed: 1 });
  });

  it('tells what an operator is to someone who returns none', () => {
    const { events } = stage((() => 5) as never);
    expect(events[0]).toMatchObject({
      message:
        'returned no Observable; an operator is a function from an Observable of frames to another',
    });
  });

  it('ends with its subscriber', () => {
    const { above, subscription, ledger, events } = stage((input) => input);
    above.next(frame(0));
    subscription.unsubscribe();
    expect([above.observed, ledger.ended]).toEqual([false, true]);
    above.next(frame(1));
    expect(events).toEqual([0]);
  });

  it('lets go of what is above if it ends on its first frame', () => {
    let closed = false;
    const above = new Rx<Frame>((subscriber) => {
      subscriber.next(frame(0));
      return () => {
        closed = true;
      };
    });
    expect(stage(take(1), above).events).toEqual([0, 'complete']);
    expect(closed).toBe(true);
  });
});

describe('the input of a stage', () => {
  it('is connected once, after the operator has made its subscriptions', () => {
    const { events, ledger, connections } = stage(
      (input) => merge(input, input),
      of(frame(0), frame(1)),
    );
    expect(events).toEqual([0, 0, 1, 1, 'complete']);
    expect(ledger).toMatchObject({ entered: 2, left: 4 });
    expect(connections()).toBe(1);
  });

  it('gives later subscribers what comes later, over the same connection', () => {
    const { above, subscribe, connections, ledger } = manual();
    expect(connections()).toBe(0);
    const first = subscribe();
    above.next(frame(0));
    const second = subscribe();
    above.next(frame(1));
    expect([first.events, second.events]).toEqual([[0, 1], [1]]);
    expect([connections(), ledger.entered]).toEqual([1, 2]);
  });

  it('holds the gate while nobody is subscribed any more, and counts what comes', () => {
    const { above, subscribe, gate, ledger } = manual();
    const first = subscribe();
    const second = subscribe();
    first.subscription.unsubscribe();
    expect(gate.open).toBe(true);
    second.subscription.unsubscribe();
    expect(gate.holders).toEqual(['operators[0] op (not subscribed)']);
    above.next(frame(0));
    expect([...ledger.dropped]).toEqual([['operator not subscribed', 1]]);
    expect(ledger).toMatchObject({ entered: 1, unexplained: 0 });
    const third = subscribe();
    expect(gate.open).toBe(true);
    above.next(frame(1));
    expect([second.events, third.events]).toEqual([[], [1]]);
  });

  it('does not hold the gate for an operator that looks before the start', () => {
    const { gate } = stage((input) => {
      input.subscribe().unsubscribe();
      return new Subject();
    });
    expect(gate.open).toBe(true);
  });

  it('does not hold the gate after its end', () => {
    const { above, subscribe, gate } = manual();
    const { subscription } = subscribe();
    subscription.unsubscribe();
    expect(gate.open).toBe(false);
    above.complete();
    expect(gate.open).toBe(true);
    const other = manual();
    const last = other.subscribe();
    last.subscription.unsubscribe();
    other.subscription.unsubscribe();
    expect(other.gate.open).toBe(true);
  });

  it.each([
    ['at once', EMPTY],
    ['later', undefined],
  ])(
    'that has completed %s completes again for a new subscriber, a moment later',
    async (_, source) => {
      const { above, subscribe, clock, connections } = manual(source);
      expect(subscribe().events).toEqual(source ? ['complete'] : []);
      above.complete();
      for (let n = 0; n < 2; n++) {
        const again = subscribe();
        expect(again.events).toEqual([]);
        await clock.advance(1);
        expect(again.events).toEqual(['complete']);
      }
      expect(connections()).toBe(1);
    },
  );

  it('that has failed is connected anew for a new subscriber, a moment later', async () => {
    let fails = true;
    const source = new Rx<Frame>((subscriber) => {
      if (fails) subscriber.error(new Error('no camera'));
      else subscriber.next(frame(7));
    });
    const { subscribe, clock, connections } = manual(source);
    expect(subscribe().events).toEqual([expect.any(Error)]);
    fails = false;
    const again = subscribe();
    expect([again.events, connections()]).toEqual([[], 1]);
    await clock.advance(1);
    expect([again.events, connections()]).toEqual([[7], 2]);
  });

  it('forgets a subscriber that has left before it is answered', async () => {
    const { above, subscribe, clock, connections, gate } = manual();
    subscribe();
    above.error(new Error('no camera'));
    const again = subscribe();
    again.subscription.unsubscribe();
    await clock.advance(10);
    expect([again.events, connections(), gate.open]).toEqual([[], 1, true]);
  });

  it('answers nobody after the end of the stage', async () => {
    const { above, subscribe, clock, subscription, connections } = manual();
    subscribe();
    above.complete();
    const waiting = subscribe();
    subscription.unsubscribe();
    const late = subscribe();
    await clock.advance(10);
    expect([waiting.events, late.events, connections()]).toEqual([[], [], 1]);
  });
});
