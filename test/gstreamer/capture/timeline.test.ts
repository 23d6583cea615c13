import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RawFrame } from '../../../src/gstreamer/capture/frame-reader.ts';
import { Timeline } from '../../../src/gstreamer/capture/timeline.ts';

const ms = 1_000_000n;

interface Given {
  pts?: bigint | undefined;
  arrived?: bigint;
  asked?: bigint;
  interval?: bigint | undefined;
}

function raw({ pts, arrived = 0n, asked = arrived, interval }: Given): RawFrame {
  const caps = { format: 'RGB', width: 1, height: 1, interval };
  const data = new Uint8Array(3);
  return {
    caps,
    source: undefined,
    data,
    pts,
    duration: undefined,
    askedAt: asked,
    arrivedAt: arrived,
  };
}

describe('a source that waits', () => {
  test('keeps its PTS and loses nothing, whatever the gaps', () => {
    const timeline = new Timeline('none');
    const placed = [0n, 33n, 500n].map((pts) =>
      timeline.place(raw({ pts: pts * ms, interval: 33n * ms })),
    );
    expect(placed.map(({ seq, pts, lost }) => [seq, pts / ms, lost])).toEqual([
      [0, 0n, 0],
      [1, 33n, 0],
      [2, 500n, 0],
    ]);
  });

  test('that loops goes on one frame interval behind its last frame', () => {
    const timeline = new Timeline('none');
    const pts = [10n, 50n, 10n, 50n, 10n].map(
      (at) => timeline.place(raw({ pts: at * ms, interval: 40n * ms })).pts / ms,
    );
    expect(pts).toEqual([10n, 50n, 90n, 130n, 170n]);
  });

  test('without PTS gets them from its frame rate', () => {
    const timeline = new Timeline('none');
    const pts = [0, 1, 2].map(() => timeline.place(raw({ interval: 40n * ms })).pts / ms);
    expect(pts).toEqual([0n, 40n, 80n]);
  });
});

describe('a camera', () => {
  const camera = () => new Timeline('every gap');
  /** A frame that was captured at `at` and fetched `late` after that. */
  const shot = (at: number, late = 5, interval: bigint | undefined = 100n * ms) =>
    raw({
      pts: BigInt(at) * ms,
      arrived: BigInt(at + 1000 + late) * ms,
      asked: BigInt(at + 1000 + late - 2) * ms,
      interval,
    });

  test('gaps in PTS are lost frames, and seq jumps over them', () => {
    const timeline = camera();
    const placed = [0, 100, 400, 500, 710].map((at) => timeline.place(shot(at)));
    expect(placed.map(({ seq, lost }) => [seq, lost])).toEqual([
      [0, 0],
      [1, 0],
      [4, 2],
      [5, 0],
      [7, 1],
    ]);
  });

  test('jitter is no loss', () => {
    const timeline = camera();
    const placed = [0, 130, 210, 290, 430].map((at) => timeline.place(shot(at)));
    expect(placed.map(({ lost }) => lost)).toEqual([0, 0, 0, 0, 0]);
  });

  test('that runs slower than its caps say, as in the dark, loses nothing once that is known', () => {
    const timeline = camera();
    // Asked for at once after the one before: none can have been dropped.
    const slow = (i: number) =>
      raw({
        pts: BigInt(i * 200) * ms,
        arrived: BigInt(1000 + i * 200) * ms,
        asked: BigInt(1001 + (i - 1) * 200) * ms,
        interval: 100n * ms,
      });
    const lost = Array.from({ length: 20 }, (_, i) => timeline.place(slow(i)).lost);
    expect(lost.slice(6)).toEqual(Array(14).fill(0));
  });

  test('of unknown rate is measured', () => {
    const timeline = camera();
    const at = (i: number) =>
      raw({
        pts: BigInt(i * 50) * ms,
        arrived: BigInt(1000 + i * 50) * ms,
        asked: BigInt(1001 + (i - 1) * 50) * ms,
      });
    for (let i = 0; i < 10; i++) timeline.place(at(i));
    expect(timeline.place(shot(50 * 13, 5, undefined)).lost).toBe(3);
  });

  test('a frame that waited in the sink keeps the time at which it was captured', () => {
    const timeline = camera();
    for (let i = 0; i < 5; i++) timeline.place(shot(i * 100));
    expect(timeline.place(shot(500, 80)).capturedAt / ms).toBe(1505n);
    expect(timeline.place(shot(600)).capturedAt / ms).toBe(1605n);
  });

  test('never claims a capture after the arrival, and never goes back', () => {
    const late = fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(late, (delays) => {
        const timeline = camera();
        let last = -1n;
        for (const [i, delay] of delays.entries()) {
          const frame = shot(i * 100, delay);
          const { capturedAt, pts } = timeline.place(frame);
          expect(capturedAt <= frame.arrivedAt).toBe(true);
          expect(pts > last).toBe(true);
          last = pts;
        }
      }),
    );
  });

  test('that was started anew goes on by real time, and counts no loss', () => {
    const timeline = camera();
    timeline.place(shot(0));
    timeline.place(shot(100));
    timeline.restart();
    const placed = timeline.place(
      raw({ pts: 3n * ms, arrived: 1905n * ms, asked: 1900n * ms, interval: 100n * ms }),
    );
    expect(placed).toMatchObject({ seq: 2, pts: 900n * ms, lost: 0 });
    expect(
      timeline.place(
        raw({ pts: 103n * ms, arrived: 2005n * ms, asked: 2000n * ms, interval: 100n * ms }),
      ).pts,
    ).toBe(1000n * ms);
  });
});

describe('PTS of a live source that leap', () => {
  const hour = 3_600_000n * ms;
  const frame = (i: number, leap: bigint, late = 5n * ms) => {
    const at = BigInt(i) * 100n * ms;
    return raw({
      pts: at + leap,
      arrived: at + 1000n * ms + late,
      asked: at + 995n * ms + late,
      interval: 100n * ms,
    });
  };

  test.each(['every gap', 'gaps while unrequested'] as const)(
    'forward by an hour are no loss (%s), and go on by real time',
    (losses) => {
      const timeline = new Timeline(losses);
      const placed = Array.from({ length: 40 }, (_, i) =>
        timeline.place(frame(i, i < 20 ? 0n : hour)),
      );
      expect(placed.map(({ lost }) => lost)).toEqual(Array(40).fill(0));
      expect(placed.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      expect(placed.at(-1)?.pts).toBe(3900n * ms);
      expect(placed.at(-1)?.capturedAt).toBe(4905n * ms);
    },
  );

  test('forward and back, again and again, count no loss', () => {
    const timeline = new Timeline('every gap');
    const lost = Array.from(
      { length: 100 },
      (_, i) => timeline.place(frame(i, i % 7 < 3 ? hour : 0n)).lost,
    );
    expect(lost).toEqual(Array(100).fill(0));
  });

  test('as far as time has passed are losses, also those of a backlog that is skipped', () => {
    const timeline = new Timeline('every gap');
    for (let i = 0; i < 10; i++) timeline.place(frame(i, 0n));
    expect(timeline.place(frame(46, 0n)).lost).toBe(36);
    // A frame that arrives five seconds late, and the newest one right behind it.
    expect(timeline.place(frame(47, 0n, 5000n * ms)).lost).toBe(0);
    expect(timeline.place(frame(97, 0n, 10n * ms)).lost).toBe(49);
  });
});

test('a video in real time loses only frames that nobody asked for', () => {
  const timeline = new Timeline('gaps while unrequested');
  const interval = 40n * ms;
  timeline.place(raw({ pts: 0n, arrived: 1000n * ms, interval }));
  const wanted = raw({ pts: 400n * ms, asked: 1001n * ms, arrived: 1400n * ms, interval });
  expect(timeline.place(wanted).lost).toBe(0);
  const unwanted = raw({ pts: 520n * ms, asked: 1515n * ms, arrived: 1520n * ms, interval });
  expect(timeline.place(unwanted).lost).toBe(2);
});
