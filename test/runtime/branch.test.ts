import {
  BehaviorSubject,
  concatMap,
  filter,
  from,
  mergeWith,
  NEVER,
  type OperatorFunction,
  Subject,
  take,
  tap,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { sleep } from '../../src/core/clock.ts';
import type { Sink } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { SinkClosed } from '../../src/core/sink-closed.ts';
import { SinkLost } from '../../src/core/sink-lost.ts';
import type { OnError } from '../../src/pipeline/pipeline.ts';
import { Branch, type BranchEnd, overdue } from '../../src/runtime/branch.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';

interface Made {
  readonly write?: (frame: Frame, clock: VirtualClock) => unknown;
  readonly wanted?: Sink['wanted'];
  readonly queue?: QueueOptions;
  readonly onError?: OnError;
  readonly operators?: OperatorFunction<Frame, Frame>[];
  readonly patienceMs?: number;
}

const roomy = { limit: 50, whenFull: 'block' } as const;
const unending = mergeWith<Frame, Frame[]>(NEVER);

/** A connected branch with everything that it reports. */
function made(settings: Made = {}) {
  const { write = () => {}, wanted, operators = [], patienceMs = 100 } = settings;
  const clock = new VirtualClock();
  const context = testContext({ clock });
  const [queueLedger, sinkLedger] = [new StageLedger('file queue'), new StageLedger('file')];
  const written: number[] = [];
  const sink = {
    write(frame: Frame) {
      written.push(frame.seq);
      return write(frame, clock);
    },
    ...(wanted && { wanted }),
  } as Sink;
  const ended: BranchEnd[] = [];
  const failures: { code: string; at?: string | undefined; message: string }[] = [];
  const onWanted = vi.fn();
  const branch = new Branch({
    ...{ name: 'file', path: 'sinks[0] file', sink, context, clock, queueLedger, sinkLedger },
    queue: settings.queue ?? roomy,
    onError: settings.onError ?? 'fail',
    gate: new Gate(),
    patienceMs: () => patienceMs,
    onWanted,
    onFailure: (error) => failures.push(error),
    onEnded: (end) => ended.push(end),
  });
  const stages = operators.map((_, i) => new StageLedger(`operator ${i}`, true));
  branch.connect(operators, stages);
  const finished = vi.fn();
  void branch.finished.then(finished);
  return {
    ...{ branch, clock, context, queueLedger, sinkLedger, stages, written, ended, failures },
    ...{ onWanted, finished },
    push: (...seqs: number[]) => {
      for (const seq of seqs) branch.push({ ...imageFrame(2, 2, seq), capturedAt: clock.wall() });
    },
    logs: (level: string) =>
      context.logs.filter((log) => log.level === level).map(({ message }) => message),
    dropped: () => ({
      queue: Object.fromEntries(queueLedger.dropped),
      sink: Object.fromEntries(sinkLedger.dropped),
    }),
  };
}

describe('a branch', () => {
  it('delivers frames that a synchronous sink takes before push returns', () => {
    const { push, sinkLedger, queueLedger } = made();
    push(0, 1, 2);
    expect(sinkLedger).toMatchObject({ entered: 3, left: 3, inFlight: 0 });
    expect(queueLedger).toMatchObject({ entered: 3, left: 3, inFlight: 0 });
  });

  it('reports what waits and what is being written', async () => {
    const twice = concatMap((frame: Frame) => from([frame, frame, frame]));
    const { branch, push, clock, sinkLedger, queueLedger } = made({
      write: (_, time) => sleep(time, 10),
      operators: [twice],
    });
    push(0, 1, 2);
    expect(queueLedger).toMatchObject({ left: 1, inFlight: 2 });
    // One is being written, two more were made of the same frame.
    expect(sinkLedger).toMatchObject({ entered: 3, inFlight: 3 });
    await clock.advance(15);
    expect(sinkLedger).toMatchObject({ left: 1, inFlight: 2 });
    branch.end();
    await clock.until(branch.finished);
    expect(sinkLedger).toMatchObject({ left: 9, inFlight: 0 });
    expect(queueLedger).toMatchObject({ left: 3, inFlight: 0 });
  });

  it('keeps 10,000 frames that operators made of one, and counts the rest', async () => {
    const many = concatMap((frame: Frame) => from(Array<Frame>(10_003).fill(frame)));
    const { push, dropped, sinkLedger } = made({
      operators: [many],
      write: () => new Promise(() => {}),
    });
    push(0);
    expect(sinkLedger).toMatchObject({ entered: 10_003, inFlight: 10_000 });
    expect(dropped().sink).toEqual({ 'queue overrun': 3 });
  });

  it('holds its gate while no operator is subscribed', () => {
    expect(made({ operators: [() => NEVER] }).branch.gate.holders).toEqual([
      'operators (not subscribed)',
    ]);
    expect(made({ operators: [unending] }).branch.gate.holders).toEqual([]);
  });

  it('keeps frames in its queue while its gate is held, and waits for it once', async () => {
    const { branch, push, clock, written, queueLedger } = made();
    const opened = vi.spyOn(branch.gate, 'opened');
    for (const [round, seqs] of [
      [1, [0, 1, 2]],
      [2, [3, 4]],
    ] as const) {
      branch.gate.hold('full');
      push(...seqs);
      expect(queueLedger.inFlight).toBe(seqs.length);
      expect(opened).toHaveBeenCalledTimes(round);
      branch.gate.release('full');
      await clock.advance(0);
      expect(written.at(-1)).toBe(seqs.at(-1));
    }
  });

  it('delivers what waits behind its gate before it ends', async () => {
    const { branch, push, clock, written, finished, ended } = made();
    branch.gate.hold('full');
    push(0, 1);
    branch.end();
    await clock.advance(50);
    expect(finished).not.toHaveBeenCalled();
    branch.gate.release('full');
    await clock.advance(0);
    expect(written).toEqual([0, 1]);
    expect(finished).toHaveBeenCalledOnce();
    // The run asked for the end; it need not be told.
    expect(ended).toEqual([]);
  });

  it('lets go of the demand of its sink when it is closed', async () => {
    const wanted = new BehaviorSubject(false);
    const { branch, context, push, dropped, onWanted } = made({ wanted });
    expect([branch.wanted, onWanted.mock.calls.length]).toEqual([false, 1]);
    push(0);
    expect(dropped().queue).toEqual({ 'no subscribers': 1 });
    wanted.next(true);
    expect([branch.wanted, onWanted.mock.calls.length]).toEqual([true, 2]);
    await context.close();
    expect(wanted.observed).toBe(false);
  });
});

describe('a branch whose operators end early', () => {
  it('is over, says so, and drops what comes later', async () => {
    const { branch, push, clock, written, ended, dropped, finished, onWanted } = made({
      operators: [take(1)],
      write: (_, time) => sleep(time, 10),
    });
    push(0, 1, 2);
    expect(branch.over).toBe(false);
    expect(dropped().queue).toEqual({ 'operators ended': 2 });
    await clock.advance(10);
    expect(written).toEqual([0]);
    expect([branch.over, branch.wanted]).toEqual([true, false]);
    expect(ended).toEqual([{ ends: 'branch' }]);
    expect(finished).toHaveBeenCalledOnce();
    expect(onWanted).toHaveBeenCalledOnce();
    push(3);
    expect(dropped().queue).toEqual({ 'operators ended': 3 });
  });
});

describe('a branch whose operators fail', () => {
  it('fails once, and gives up what it holds', async () => {
    const errors = new Subject<Frame>();
    let fail: (error: Error) => void = () => {};
    const { branch, push, clock, failures, dropped, sinkLedger } = made({
      operators: [mergeWith(errors)],
      write: () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    });
    push(0, 1, 2);
    errors.error(new Error('cannot'));
    fail(new Error('disk'));
    await clock.advance(1000);
    expect(failures).toMatchObject([{ code: 'OPERATOR', at: 'sinks[0] file', message: 'cannot' }]);
    expect(dropped()).toEqual({ queue: { 'branch failed': 2 }, sink: { 'branch failed': 1 } });
    expect(sinkLedger).toMatchObject({ failed: 0, left: 0, inFlight: 0 });
    expect(branch.over).toBe(true);
    push(3);
    expect(dropped().queue).toEqual({ 'branch failed': 2, 'branch ended': 1 });
  });

  it('names the branch as the place of an error of RxJS', async () => {
    const { push, failures, clock, ended, finished } = made({
      operators: [
        tap(() => {
          throw new Error('cannot');
        }),
      ],
    });
    push(0);
    await clock.advance(500);
    expect(failures).toMatchObject([{ code: 'OPERATOR', at: 'sinks[0] file', message: 'cannot' }]);
    expect(ended).toEqual([]);
    expect(finished).toHaveBeenCalledOnce();
  });
});

describe('a branch whose sink ends', () => {
  const thrower = (error: unknown) => (frame: Frame) => {
    if (frame.seq === 1) throw error;
  };

  it.each(['branch', 'run'] as const)('because its user closed it: ends the %s', async (ends) => {
    const { branch, push, clock, ended, logs, dropped, failures } = made({
      write: thrower(new SinkClosed('window closed', ends)),
    });
    push(0, 1, 2);
    await clock.advance(500);
    expect(ended).toEqual([{ ends }]);
    expect([logs('info'), logs('warn')]).toEqual([['window closed; this branch ends'], []]);
    expect(dropped()).toEqual({ queue: { 'branch ended': 1 }, sink: { 'window closed': 1 } });
    expect([branch.over, failures]).toEqual([true, []]);
  });

  it('because it is lost: ends the branch with its error', async () => {
    const { push, clock, ended, logs, dropped, sinkLedger, failures } = made({
      write: async (frame) => thrower(new SinkLost('encoder gone'))(frame),
      onError: 'skip',
    });
    push(0, 1, 2);
    await clock.advance(500);
    expect(ended).toEqual([
      { ends: 'branch', error: expect.objectContaining({ message: 'encoder gone' }) },
    ]);
    expect([logs('info'), logs('warn')]).toEqual([[], ['encoder gone; this branch ends']]);
    expect(dropped()).toEqual({ queue: { 'sink lost': 1 }, sink: {} });
    expect([sinkLedger.failed, failures]).toEqual([1, []]);
  });

  it('by an error, while its queue is full: drops that', async () => {
    const { push, clock, dropped, failures } = made({
      write: async (frame) => thrower(new Error('full'))(frame),
    });
    push(0, 1, 2, 3);
    await clock.advance(500);
    expect(dropped().queue).toEqual({ 'branch failed': 2 });
    expect(failures).toHaveLength(1);
  });
});

describe('a branch that is aborted', () => {
  it('counts what it holds, once', async () => {
    const { branch, push, clock, dropped, sinkLedger, queueLedger, onWanted, finished } = made({
      operators: [concatMap((frame: Frame) => from([frame, frame]))],
      write: (_, time) => sleep(time, 100),
    });
    push(0, 1, 2);
    branch.abort('stopped');
    branch.abort('again');
    // The write in progress may still end.
    expect([sinkLedger.inFlight, queueLedger.inFlight]).toEqual([1, 0]);
    expect(finished).not.toHaveBeenCalled();
    await clock.advance(300);
    expect(finished).toHaveBeenCalledOnce();
    expect(dropped()).toEqual({ queue: { stopped: 2 }, sink: { stopped: 1 } });
    expect(sinkLedger).toMatchObject({ entered: 2, left: 1, inFlight: 0 });
    expect(onWanted).toHaveBeenCalledOnce();
  });

  it('does not wait for a write that has not begun', async () => {
    const { branch, clock, finished } = made();
    branch.abort('stopped');
    await clock.advance(0);
    expect(finished).toHaveBeenCalledOnce();
  });

  it('by its own operator, in the middle of a frame, finishes after that', async () => {
    let abort = () => {};
    const { branch, push, clock, sinkLedger, queueLedger, finished } = made({
      operators: [tap(() => abort())],
    });
    abort = () => branch.abort('stopped');
    push(0, 1);
    await clock.advance(0);
    expect(finished).toHaveBeenCalledOnce();
    expect(queueLedger).toMatchObject({ entered: 2, left: 1, inFlight: 0 });
    expect(queueLedger.totalDropped).toBe(1);
    expect(sinkLedger).toMatchObject({ entered: 0, left: 0 });
  });

  it('is not ended, too', async () => {
    const { branch, clock, logs } = made({ operators: [unending] });
    branch.abort('stopped');
    branch.end();
    branch.reportOverdue();
    await clock.advance(10_000);
    expect(logs('warn')).toEqual([]);
  });
});

describe('a branch whose operators do not complete', () => {
  const warning = 'operator "operator 0" has not completed after its input; it was ended';

  it('ends them after their time, and finishes', async () => {
    const { branch, clock, finished, logs, ended } = made({ operators: [unending] });
    branch.end();
    await clock.advance(99);
    expect(finished).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(finished).toHaveBeenCalledOnce();
    expect(logs('warn')).toEqual([warning]);
    expect(ended).toEqual([]);
    branch.reportOverdue();
    await clock.advance(1000);
    expect(logs('warn')).toHaveLength(1);
  });

  it('waits for frames that an operator reports in flight', async () => {
    const { branch, clock, finished, stages } = made({ operators: [unending, filter(() => true)] });
    (stages[1] as StageLedger).inFlight = 1;
    branch.end();
    await clock.advance(1000);
    expect(finished).not.toHaveBeenCalled();
    (stages[1] as StageLedger).inFlight = 0;
    await clock.advance(200);
    expect(finished).toHaveBeenCalledOnce();
  });

  it('waits for a write, and for what is to be written', async () => {
    const { branch, push, clock, written, logs } = made({
      operators: [unending, concatMap((frame: Frame) => from([frame, frame]))],
      write: (_, time) => sleep(time, 1000),
    });
    push(0);
    branch.end();
    await clock.until(branch.finished);
    expect(written).toEqual([0, 0]);
    expect(logs('warn')).toEqual([warning]);
    expect(clock.now()).toBeGreaterThanOrEqual(2100);
  });

  it('takes a frame that went through as progress', async () => {
    const { branch, push, clock, finished } = made({ operators: [unending] });
    branch.gate.hold('full');
    push(0, 1);
    branch.end();
    await clock.advance(50);
    branch.gate.release('full');
    await clock.advance(60);
    expect(finished).not.toHaveBeenCalled();
    await clock.advance(90);
    expect(finished).toHaveBeenCalledOnce();
  });

  it('reports them before they are ended, but not for frames that wait or are in flight', async () => {
    const { branch, push, logs, stages } = made({ operators: [unending] });
    branch.reportOverdue();
    branch.gate.hold('full');
    push(0);
    branch.end();
    branch.reportOverdue();
    expect(logs('warn')).toEqual([]);
    branch.gate.release('full');
    await Promise.resolve();
    (stages[0] as StageLedger).inFlight = 1;
    branch.reportOverdue();
    expect(logs('warn')).toEqual([]);
    (stages[0] as StageLedger).inFlight = 0;
    branch.reportOverdue();
    expect(logs('warn')).toEqual([warning]);
  });
});

describe('the operator that is overdue', () => {
  const stage = (name: string, inputEnded: boolean, ended: boolean) =>
    Object.assign(new StageLedger(name, true), { inputEnded, ended });

  it('is the first whose input has ended and that has not', () => {
    const late = [stage('a', true, true), stage('b', true, false), stage('c', true, false)];
    expect(overdue(late)).toBe('operator "b" has not completed after its input; it was ended');
  });

  it('is the first of all if none is known to be late', () => {
    for (const stages of [
      [stage('a', false, false), stage('b', false, false)],
      [stage('a', true, true), stage('b', true, true)],
      [stage('a', false, true), stage('b', false, false)],
    ]) {
      expect(overdue(stages)).toMatch(/^operator "a" /);
    }
  });
});
