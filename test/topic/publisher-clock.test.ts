import { expect, it } from 'vitest';
import { PublisherClock } from '../../src/topic/publisher-clock.ts';

const epoch = 1_700_000_000_000;
const ns = (ms: number) => BigInt(ms) * 1_000_000n;

/** Ages in ms at receipt of frames: taken at `at`, sent 10 ms later, on their way for `delay`. */
function ages(
  clock: PublisherClock,
  theirs: number,
  frames: readonly [at: number, delay: number][],
) {
  return frames.map(([at, delay]) => {
    const received = at + 10 + delay;
    const times = {
      capturedAt: ns(epoch + theirs + at),
      publishedAt: ns(epoch + theirs + at + 10),
    };
    const here = clock.capturedAt(times, ns(epoch + received), received);
    return Number(ns(epoch + received) - here) / 1e6;
  });
}

it('leaves times alone while the clocks agree, whatever the delay', () => {
  const clock = new PublisherClock();
  expect(
    ages(clock, 0, [
      [0, 1],
      [33, 50],
      [66, 2000],
    ]),
  ).toEqual([11, 60, 2010]);
  expect(clock.offset).toBe(0n);
});

it.each([-120_000, 120_000, 102, -100, -3.2e11])(
  'counts from the fastest message where the publisher is %d ms off',
  (theirs) => {
    const clock = new PublisherClock();
    ages(clock, theirs, [[0, 1]]);
    expect(
      ages(clock, theirs, [
        [33, 1],
        [66, 41],
        [100, 1],
      ]),
    ).toEqual([10, 50, 10]);
  },
);

it('takes clocks that differ by up to 100 ms as equal, but no frame as captured after its receipt', () => {
  const clock = new PublisherClock();
  expect(ages(clock, -99, [[0, 1]])).toEqual([110]);
  expect(ages(clock, 60, [[33, 1]])).toEqual([0]);
  expect(clock.offset).toBe(0n);
});

it('follows a clock that is set, within 10 s', () => {
  const clock = new PublisherClock();
  const second = (from: number, theirs: number) =>
    ages(
      clock,
      theirs,
      Array.from({ length: 10 }, (_, i) => [from + 100 * i, 1]),
    );
  for (let at = 0; at < 20_000; at += 1000) expect(second(at, -120_000).at(-1)).toBe(10);
  for (let at = 20_000; at < 30_000; at += 1000) second(at, -240_000);
  expect(second(31_000, -240_000).at(-1)).toBe(10);
  expect(second(32_000, 5000).at(-1)).toBe(10);
});

it('forgets a difference after a long silence', () => {
  const clock = new PublisherClock();
  ages(clock, 120_000, [[0, 1]]);
  expect(ages(clock, 0, [[10_020, 1]])).toEqual([11]);
});

it('does without the time of publication where it makes no sense', () => {
  const clock = new PublisherClock();
  const at = (capturedAt: number, publishedAt: bigint, received: number) =>
    ns(epoch + received) -
    clock.capturedAt(
      { capturedAt: ns(epoch + capturedAt), publishedAt },
      ns(epoch + received),
      received,
    );
  for (let i = 0; i < 100; i++) expect(at(i, 1n, i + 2)).toBe(ns(2));
});

it('remembers the fastest message for five to ten seconds', () => {
  const clock = new PublisherClock();
  const slow = ages(clock, 120_000, [
    [0, 1],
    [100, 51],
    // Received 4999 and 5000 ms after the first.
    [4949, 51],
    [4950, 51],
    [5100, 51],
    [9949, 51],
    [9950, 61],
    [10_100, 61],
  ]);
  expect(slow).toEqual([10, 60, 60, 60, 60, 60, 20, 20]);
});

it('remembers nothing from before a silence of ten seconds', () => {
  const clock = new PublisherClock();
  expect(
    ages(clock, 120_000, [
      [0, 1],
      [9949, 51],
    ]),
  ).toEqual([10, 60]);
  const other = new PublisherClock();
  expect(
    ages(other, 120_000, [
      [0, 1],
      [9950, 51],
    ]),
  ).toEqual([10, 10]);
});

it('takes clocks that differ by up to 100 ms for equal', () => {
  const clock = new PublisherClock();
  expect(ages(clock, 101, [[0, 1]])).toEqual([0]);
  expect(clock.offset).toBe(0n);
});

it('makes no time that readers do not accept of a false one', () => {
  const latest = 2n ** 63n - 1n;
  const times = { capturedAt: ns(epoch), publishedAt: latest };
  expect(new PublisherClock().capturedAt(times, ns(epoch), 0)).toBe(0n);
  const future = { capturedAt: latest, publishedAt: latest };
  expect(new PublisherClock().capturedAt(future, ns(epoch), 0)).toBe(ns(epoch));
});

it('follows a clock that is set back, at once', () => {
  const clock = new PublisherClock();
  expect(ages(clock, 0, [[0, 1]])).toEqual([11]);
  const hour = 3_600_000;
  expect(
    ages(clock, -hour, [
      [66, 1],
      [100, 1],
      [133, 51],
    ]),
  ).toEqual([10, 10, 60]);
  // And forward again.
  expect(ages(clock, 0, [[166, 1]])).toEqual([11]);
});
