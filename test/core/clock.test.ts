import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ageMs, type Clock, SystemClock, sleep, systemClock } from '../../src/core/clock.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';

const day = 86_400_000;

describe('the wall clock', () => {
  let now = 0;
  let date = 0;

  beforeEach(() => {
    now = performance.now();
    date = performance.timeOrigin + now;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.spyOn(Date, 'now').mockImplementation(() => Math.floor(date));
  });
  afterEach(() => vi.restoreAllMocks());

  const pass = (ms: number) => {
    now += ms;
    date += ms;
  };
  const wallMs = (clock: SystemClock) => Number(clock.wall() / 1000n) / 1000;

  it.each([-8 * 365 * day, -3_600_000, -1000, 1000, 3_600_000, 8 * 365 * day])(
    'is followed when it is set by %i ms, while ages go on',
    (jump) => {
      const clock = new SystemClock();
      const jumps: number[] = [];
      clock.onStep((ms) => jumps.push(Math.round(ms)));
      const before = { capturedAt: clock.wall() };
      pass(40);
      date += jump;
      expect(Math.abs(wallMs(clock) - date)).toBeLessThanOrEqual(1);
      const after = { capturedAt: clock.wall() };
      expect(ageMs(clock, before)).toBeCloseTo(40, -1);
      pass(100);
      expect(ageMs(clock, before)).toBeCloseTo(140, -1);
      expect(ageMs(clock, after)).toBeCloseTo(100, 0);
      expect(jumps).toHaveLength(1);
      expect(Math.abs((jumps[0] as number) - jump)).toBeLessThanOrEqual(1);
    },
  );

  it('keeps the age of a frame captured just before, however long the report takes', () => {
    const clock = new SystemClock();
    clock.onStep(() => pass(20));
    const frame = { capturedAt: clock.wall() };
    pass(0.1);
    date += 8 * 365 * day;
    expect(ageMs(clock, frame)).toBeLessThan(25);
  });

  it.each([-0.4, 0, 0.4])('keeps every age to 2 ms while it drifts by %d ms per step', (drift) => {
    const clock = new SystemClock();
    const frames: { capturedAt: bigint; at: number }[] = [];
    for (let i = 0; i < 600; i++) {
      frames.push({ capturedAt: clock.wall(), at: now });
      pass((i * 0.37) % 1.3);
      date += drift;
      if (i % 200 === 100) date += (i > 300 ? -1 : 1) * 3 * day;
      for (const { at, ...frame } of frames.slice(-3)) {
        expect(Math.abs(ageMs(clock, frame) - (now - at))).toBeLessThan(3);
      }
    }
  });

  it('keeps ages over two steps, and reports each once', () => {
    const clock = new SystemClock();
    const listener = vi.fn();
    const end = clock.onStep(listener);
    const frame = { capturedAt: clock.wall() };
    for (const jump of [8 * 365 * day, -3_600_000]) {
      pass(10);
      date += jump;
      clock.wall();
      clock.wall();
    }
    pass(10);
    expect(ageMs(clock, frame)).toBeCloseTo(30, -1);
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    date += day;
    clock.wall();
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it.each([8 * 365 * day, -8 * 365 * day, -3_600_000])(
    'leaves the age of a frame from elsewhere as it is after a step of %i ms',
    (jump) => {
      const clock = new SystemClock();
      clock.wall();
      date += jump;
      pass(10);
      const yearOld = { capturedAt: clock.wall() - BigInt(365 * day) * 1_000_000n };
      expect(ageMs(clock, yearOld) / day).toBeCloseTo(365, 3);
    },
  );

  it('is followed without a report when it drifts or is slewed', () => {
    const clock = new SystemClock();
    const listener = vi.fn();
    clock.onStep(listener);
    for (let second = 0; second < 3600; second++) {
      pass(1000);
      date += 0.5;
      expect(Math.abs(wallMs(clock) - date)).toBeLessThanOrEqual(1.01);
    }
    expect(listener).not.toHaveBeenCalled();
  });

  it('has a finer resolution than a millisecond', () => {
    const clock = new SystemClock();
    const start = clock.wall();
    pass(0.25);
    const passed = Number(clock.wall() - start);
    expect(Math.abs(passed - 250_000)).toBeLessThanOrEqual(2000);
  });

  it.each([
    [498, 0],
    [-498, 0],
    [502, 1],
    [-502, 1],
  ])('that is set by %i ms is reported %i times', (jump, times) => {
    const clock = new SystemClock();
    const listener = vi.fn();
    clock.onStep(listener);
    date += jump;
    expect(Math.abs(wallMs(clock) - date)).toBeLessThanOrEqual(1.01);
    expect(listener).toHaveBeenCalledTimes(times);
  });

  it('was not set if the thread was suspended while it was read', () => {
    const clock = new SystemClock();
    const listener = vi.fn();
    clock.onStep(listener);
    pass(5000);
    vi.mocked(performance.now).mockImplementationOnce(() => now - 2000);
    expect(Math.abs(wallMs(clock) - date)).toBeLessThanOrEqual(1);
    expect(listener).not.toHaveBeenCalled();
  });

  it('corrects ages for the last 16 steps', () => {
    const clock = new SystemClock();
    const frame = { capturedAt: clock.wall() };
    const step = () => {
      pass(10);
      date += 3_600_000;
      clock.wall();
    };
    for (let n = 0; n < 16; n++) step();
    expect(ageMs(clock, frame)).toBeCloseTo(160, -1);
    step();
    expect(ageMs(clock, frame)).toBeCloseTo(17 * 3_600_000 + 170, -1);
  });

  it('is not the monotonic one', () => {
    const clock = new SystemClock();
    expect(clock.now()).toBe(now);
    date += day;
    expect(clock.now()).toBe(now);
  });
});

it('a frame from a machine whose clock is ahead has no negative age', () => {
  expect(ageMs(systemClock, { capturedAt: systemClock.wall() + 5_000_000_000n })).toBe(0);
});

describe('a timer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it.each([1000, 24 * day, 25 * day, 30 * day, 1000 * day])('of %i ms ends then', (ms) => {
    const clock = new SystemClock();
    const done = vi.fn();
    clock.after(ms, done);
    vi.advanceTimersByTime(ms - 1);
    expect(done).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(done).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('without an end never ends', () => {
    const done = vi.fn();
    const cancel = new SystemClock().after(Number.POSITIVE_INFINITY, done);
    vi.advanceTimersByTime(100 * day);
    expect(done).not.toHaveBeenCalled();
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, 26])('of 30 days can be cancelled after %i days', (days) => {
    const done = vi.fn();
    const cancel = new SystemClock().after(30 * day, done);
    vi.advanceTimersByTime(days * day);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100 * day);
    expect(done).not.toHaveBeenCalled();
  });

  it('of 30 days ends a sleep when it is aborted', async () => {
    const stop = new AbortController();
    const sleeping = sleep(new SystemClock(), 30 * day, stop.signal);
    stop.abort();
    await sleeping;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the age of a frame by a clock that knows no steps', () => {
  it('is the difference to its wall clock, in milliseconds', async () => {
    const clock = new VirtualClock();
    const frame = { capturedAt: clock.wall() };
    await clock.advance(12.5);
    expect(ageMs(clock, frame)).toBe(12.5);
  });
});

describe('a sleep', () => {
  it('takes its time, with and without a signal', async () => {
    const clock = new VirtualClock();
    const { signal } = new AbortController();
    const ends: number[] = [];
    void sleep(clock, 10).then(() => ends.push(clock.now()));
    void sleep(clock, 20, signal).then(() => ends.push(clock.now()));
    await clock.advance(9);
    expect(ends).toEqual([]);
    await clock.advance(100);
    expect(ends).toEqual([10, 20]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('does not start a timer if its signal has aborted', async () => {
    const after = vi.fn();
    await sleep({ ...new VirtualClock(), after } as unknown as Clock, 10, AbortSignal.abort());
    expect(after).not.toHaveBeenCalled();
  });
});
