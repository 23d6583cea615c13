import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/core/clock.ts';
import type { Sink } from '../../src/core/component.ts';
import { FrameRefused } from '../../src/core/frame-refused.ts';
import { SinkClosed } from '../../src/core/sink-closed.ts';
import { SinkLost } from '../../src/core/sink-lost.ts';
import type { OnError } from '../../src/pipeline/pipeline.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { type SinkEnd, SinkWriter } from '../../src/runtime/sink-writer.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';

const policies = ['fail', 'skip', 'retry'] as const;
const broken = () => new Error('the disk is full');

function writer(onError: OnError, write: (attempt: number, clock: VirtualClock) => unknown) {
  const clock = new VirtualClock();
  const context = testContext({ clock });
  const ledger = new StageLedger('file');
  const ends: SinkEnd[] = [];
  const calls: string[] = [];
  let attempts = 0;
  const sink = { write: () => write(++attempts, clock) } as unknown as Sink;
  const made = new SinkWriter({
    ...{ path: 'sinks[0] file', sink, context, onError, clock, sinkLedger: ledger },
    listener: { enter: (stage) => calls.push(`enter ${stage}`), leave: () => calls.push('leave') },
    onSinkEnd: (end) => ends.push(end),
  });
  const start = () => made.write({ ...imageFrame(2, 2, 3), capturedAt: clock.wall() });
  return {
    ...{ clock, ledger, ends, calls, context, writer: made, start },
    attempts: () => attempts,
    counts: () => ({
      left: ledger.left,
      failed: ledger.failed,
      dropped: Object.fromEntries(ledger.dropped),
    }),
    warnings: () => context.logs.map(({ message }) => message),
  };
}

describe('a write', () => {
  it.each([5, undefined])('that returns %j, no promise, is delivered at once', (returned) => {
    const test = writer('fail', () => returned);
    expect(test.start()).toBeUndefined();
    expect(test.writer.busy).toBe(false);
    expect(test.counts()).toEqual({ left: 1, failed: 0, dropped: {} });
    expect(test.writer.lastAgeMs).toBe(0);
    expect(test.calls).toEqual(['enter file', 'leave']);
  });

  it('is delivered when its promise resolves, with the age of the frame then', async () => {
    const test = writer('fail', (_, clock) => sleep(clock, 40));
    const written = test.start();
    expect([test.writer.busy, test.ledger.left]).toEqual([true, 0]);
    await test.clock.advance(40);
    await written;
    expect([test.writer.busy, test.ledger.left, test.writer.lastAgeMs]).toEqual([false, 1, 40]);
    expect(test.writer.latency.percentiles()?.p50).toBeCloseTo(40, 0);
  });

  it.each([
    [
      'throws',
      () => {
        throw broken();
      },
    ],
    ['rejects', () => Promise.reject(broken())],
  ])('that %s ends the sink with on-error: fail', async (_, write) => {
    const test = writer('fail', write);
    await test.start();
    expect(test.counts()).toEqual({ left: 0, failed: 1, dropped: {} });
    expect(test.ends).toMatchObject([
      {
        how: 'failed',
        error: { code: 'SINK', at: 'sinks[0] file', message: 'the disk is full' },
      },
    ]);
    expect(test.calls).toEqual(['enter file', 'leave']);
    expect(test.warnings()).toEqual([]);
  });

  it('that fails is counted and logged with on-error: skip', async () => {
    const test = writer('skip', () => Promise.reject(broken()));
    await test.start();
    expect(test.counts()).toEqual({ left: 0, failed: 1, dropped: {} });
    expect(test.ends).toEqual([]);
    expect(test.warnings()).toEqual(['frame 3 was not written: the disk is full']);
  });
});

describe('writes that fail one after the other', () => {
  it('are all counted, and logged at the first and then every 5 s', async () => {
    const test = writer('skip', () => {
      throw broken();
    });
    for (let i = 0; i < 300; i++) {
      await test.start();
      await test.clock.advance(33);
    }
    expect(test.counts().failed).toBe(300);
    const message = 'frame 3 was not written: the disk is full';
    expect(test.warnings()).toEqual([
      message,
      `${message} (and 151 more since the last such message)`,
    ]);
  });
});

describe('with on-error: retry, a frame', () => {
  it('is delivered once when an attempt succeeds', async () => {
    const test = writer('retry', (n) => (n < 4 ? Promise.reject(broken()) : undefined));
    await test.clock.until(test.start() as Promise<void>);
    expect(test.counts()).toEqual({ left: 1, failed: 0, dropped: {} });
    expect([test.attempts(), test.clock.now()]).toEqual([4, 700]);
    expect(test.warnings()).toEqual(['frame 3 was not written, trying again: the disk is full']);
  });

  it('is not tried again if the sink can never write it', async () => {
    const test = writer('retry', () => Promise.reject(new FrameRefused('not 640×480')));
    await test.start();
    expect([test.attempts(), test.ledger.failed]).toEqual([1, 1]);
  });

  it('is not tried again after the end of retries', async () => {
    const test = writer('retry', () => Promise.reject(broken()));
    test.writer.endRetries();
    await test.start();
    expect([test.attempts(), test.ledger.failed]).toEqual([1, 1]);
    expect(test.ends).toEqual([]);
  });

  it('is not tried again when the run is aborted', async () => {
    const test = writer('retry', () => Promise.reject(broken()));
    const written = test.start();
    await test.clock.advance(150);
    test.context.abort();
    await test.clock.until(written as Promise<void>);
    expect(test.attempts()).toBe(3);
    expect(test.ledger.failed).toBe(1);
  });
});

describe.each(policies)('with on-error: %s, a sink', (onError) => {
  it.each(['branch', 'run'] as const)('that its user closes ends the %s', async (ends) => {
    const test = writer(onError, () => Promise.reject(new SinkClosed('window closed', ends)));
    await test.start();
    expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { 'window closed': 1 } });
    expect(test.ends).toEqual([{ how: 'closed', message: 'window closed', ends }]);
  });

  it('that is lost has failed on its frame', async () => {
    const test = writer(onError, () => Promise.reject(new SinkLost('unplugged')));
    await test.start();
    expect(test.counts()).toEqual({ left: 0, failed: 1, dropped: {} });
    expect(test.ends).toMatchObject([
      { how: onError === 'fail' ? 'failed' : 'lost', error: { code: 'SINK', at: 'sinks[0] file' } },
    ]);
  });
});

it.each([new SinkClosed('window closed', 'run'), new SinkLost('unplugged')])(
  'a sink that ends between two attempts gets no further one: %s',
  async (end) => {
    const test = writer('retry', (n) => Promise.reject(n === 1 ? broken() : end));
    await test.clock.until(test.start() as Promise<void>);
    await test.clock.advance(10_000);
    expect(test.attempts()).toBe(2);
    expect(test.ends).toHaveLength(1);
    expect(test.ledger.failed + test.ledger.totalDropped).toBe(1);
  },
);

describe('an abandoned write', () => {
  const never = new Promise<void>(() => {});

  it('is dropped after 300 ms, for the first reason given', async () => {
    const test = writer('fail', () => never);
    test.start();
    void test.writer.abandon('stopped');
    void test.writer.abandon('branch failed');
    await test.clock.advance(299);
    expect(test.writer.busy).toBe(true);
    await test.clock.advance(1);
    expect(test.writer.busy).toBe(false);
    expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { stopped: 1 } });
  });

  it('is delivered if it ends before', async () => {
    const test = writer('fail', (_, clock) => sleep(clock, 200));
    test.start();
    await test.clock.until(test.writer.abandon('stopped'));
    expect(test.counts()).toEqual({ left: 1, failed: 0, dropped: {} });
  });

  it.each(policies)('that fails before then has not failed, on-error: %s', async (onError) => {
    const test = writer(onError, async (_, clock) => {
      await sleep(clock, 200);
      throw broken();
    });
    test.start();
    void test.writer.abandon('stopped');
    void test.writer.abandon('branch failed');
    await test.clock.advance(1000);
    expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { stopped: 1 } });
    expect([test.attempts(), test.ends]).toEqual([1, []]);
  });

  const lateEnds: [string, Error | undefined][] = [
    ['succeeds', undefined],
    ['fails', broken()],
    ['finds its sink closed', new SinkClosed('window closed', 'run')],
    ['finds its sink lost', new SinkLost('unplugged')],
  ];
  describe.each(lateEnds)('that %s later', (_, error) => {
    it.each(policies)('is counted once and ends nothing, on-error: %s', async (onError) => {
      const test = writer(onError, async (_, clock) => {
        await sleep(clock, 500);
        if (error) throw error;
      });
      test.start();
      void test.writer.abandon('stopped');
      await test.clock.advance(5000);
      expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { stopped: 1 } });
      expect([test.attempts(), test.ends]).toEqual([1, []]);
      expect(test.writer.lastAgeMs).toBeUndefined();
    });
  });

  it('between two attempts gets its last one, then is dropped', async () => {
    const test = writer('retry', () => Promise.reject(broken()));
    test.start();
    await test.clock.advance(50);
    void test.writer.abandon('stopped');
    await test.clock.advance(50);
    expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { stopped: 1 } });
    await test.clock.advance(5000);
    expect(test.attempts()).toBe(2);
  });

  it('gets no attempt after it was dropped', async () => {
    const test = writer('retry', () => Promise.reject(broken()));
    test.start();
    // Attempts at 0, 100 and 300 ms; the next is due at 700 ms.
    await test.clock.advance(310);
    void test.writer.abandon('stopped');
    await test.clock.advance(5000);
    expect(test.attempts()).toBe(3);
    expect(test.counts()).toEqual({ left: 0, failed: 0, dropped: { stopped: 1 } });
  });
});
