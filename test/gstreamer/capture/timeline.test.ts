import { describe, expect, test } from 'vitest';
import type { RawFrame } from '../../../src/core/capture-stream.ts';
import { Timeline } from '../../../src/gstreamer/capture/timeline.ts';
import { fc } from '../../support/property.ts';

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

describe('a source that waits, in odd files', () => {
  const ptsOf = (given: readonly Given[]) => {
    const timeline = new Timeline('none');
    return given.map((one) => Number(timeline.place(raw({ interval: 40n * ms, ...one })).pts / ms));
  };
  const at = (pts: number): Given => ({ pts: BigInt(pts) * ms });

  test('keeps a gap of an hour', () => {
    expect(ptsOf([at(0), at(40), at(3_600_000)])).toEqual([0, 40, 3_600_000]);
  });

  test('goes on at the PTS that follow a frame without one', () => {
    expect(ptsOf([at(0), {}, at(500)])).toEqual([0, 40, 500]);
  });

  test('gives a frame that repeats a PTS the next one', () => {
    expect(ptsOf([at(0), at(0), at(40)])).toEqual([0, 40, 80]);
  });

  test('loops by one frame interval, however long the loop took to start', () => {
    const late = { ...at(0), arrived: 5000n * ms };
    expect(ptsOf([at(0), at(40), late])).toEqual([0, 40, 80]);
  });

  test('takes a frame interval of 0 for an unknown one, 1/30 s', () => {
    expect(ptsOf([{ interval: 0n }, { interval: 0n }])).toEqual([0, 33]);
  });

  test('captures a frame when it arrives, whatever its PTS', () => {
    const timeline = new Timeline('none');
    timeline.place(raw({ pts: 0n, arrived: 1000n * ms }));
    expect(timeline.place(raw({ pts: 40n * ms, arrived: 2000n * ms })).capturedAt).toBe(2000n * ms);
  });
});

describe('a camera of 100 ms', () => {
  /** Captured at `at`, arrived `late` after that, asked for just before. */
  const shot = (at: number, late = 5, pts: bigint | undefined = BigInt(at) * ms) =>
    raw({
      pts,
      arrived: BigInt(1000 + at + late) * ms,
      asked: BigInt(1000 + at + late - 2) * ms,
      interval: 100n * ms,
    });
  const without = (at: number) => ({ ...shot(at), pts: undefined });
  /** A timeline after `n` frames. */
  const warmedUp = (n: number) => {
    const timeline = new Timeline('every gap');
    for (let i = 0; i < n; i++) timeline.place(shot(i * 100));
    return timeline;
  };

  test('does not count again what is counted elsewhere, and that only once', () => {
    const timeline = warmedUp(2);
    timeline.explain(1);
    timeline.explain(1);
    expect(timeline.place(shot(500))).toMatchObject({ seq: 5, lost: 1 });
    expect(timeline.place(shot(900))).toMatchObject({ seq: 9, lost: 3 });
    timeline.explain(5);
    expect(timeline.place(shot(1100))).toMatchObject({ seq: 11, lost: 0 });
  });

  test('loses nothing by a restart, also if its PTS go on', () => {
    const timeline = warmedUp(2);
    timeline.restart();
    expect(timeline.place(shot(700))).toMatchObject({ seq: 2, lost: 0, pts: 700n * ms });
  });

  test('does not go back by a restart after its first frame', () => {
    const timeline = new Timeline('every gap');
    timeline.place(shot(0, 5, 500n * ms));
    timeline.restart();
    expect(timeline.place(shot(300, 5, 0n)).pts).toBe(800n * ms);
  });

  test('advances by a frame interval where a restart takes less', () => {
    const timeline = warmedUp(2);
    timeline.restart();
    expect(timeline.place(shot(110, 5, 0n)).pts).toBe(200n * ms);
  });

  test('may restart without PTS', () => {
    const timeline = warmedUp(2);
    timeline.restart();
    expect(timeline.place(without(600))).toMatchObject({
      ...{ seq: 2, lost: 0, pts: 200n * ms, capturedAt: 1605n * ms },
    });
  });

  test('does not go back behind frames without PTS', () => {
    const placed = (all: readonly (number | undefined)[]) => {
      const timeline = new Timeline('none');
      return all.map((at, i) => {
        const frame = { ...shot(i * 100), pts: at === undefined ? undefined : BigInt(at) * ms };
        return Number(timeline.place(frame).pts) / 1e6;
      });
    };
    // One frame interval behind the last one.
    expect(placed([400, undefined, 0, undefined, 40])).toEqual([400, 500, 600, 700, 700.000001]);
    expect(placed([400, undefined, 400, 500])).toEqual([400, 500, 600, 700]);
    expect(placed([undefined, undefined, 0, 50])).toEqual([0, 100, 200, 250]);
    expect(placed([undefined, undefined, 100, 150])).toEqual([0, 100, 200, 250]);
    expect(placed([undefined, undefined, 101, 150])).toEqual([0, 100, 101, 150]);
    // Where frames without PTS were placed too far ahead, the others wait for them to be passed.
    expect(placed([0, undefined, undefined, 50, 190, 220])).toEqual([
      ...[0, 100, 200, 200.000001, 200.000002, 220],
    ]);
  });

  test('keeps its least delay over a frame without PTS', () => {
    const timeline = warmedUp(2);
    expect(timeline.place(without(200))).toMatchObject({ lost: 0, capturedAt: 1205n * ms });
    expect(timeline.place(shot(300, 80))).toMatchObject({ lost: 0, capturedAt: 1305n * ms });
  });

  test('leaps if its PTS go more than 500 ms further than the time', () => {
    expect(warmedUp(10).place(shot(1000, 5, 1500n * ms))).toMatchObject({ seq: 15, lost: 5 });
    const leapt = warmedUp(10).place(shot(1000, 5, 1501n * ms));
    expect(leapt).toMatchObject({ seq: 10, lost: 0, pts: 1000n * ms });
  });

  test('remembers its least delay for five to ten seconds', () => {
    const timeline = new Timeline('every gap');
    timeline.place(shot(0, 5));
    const waited = (at: number, late: number) => {
      const frame = shot(at, late);
      return Number((frame.arrivedAt - timeline.place(frame).capturedAt) / ms);
    };
    const times = Array.from({ length: 120 }, (_, i) => (i + 1) * 100);
    const all = times.map((time) => waited(time, 30));
    expect(new Set(all.slice(0, 90))).toEqual(new Set([25]));
    expect(new Set(all.slice(105))).toEqual(new Set([0]));
    // A smaller one counts at once.
    expect([waited(12_100, 0), waited(12_200, 30)]).toEqual([0, 30]);
  });
});

describe('which frames were wanted', () => {
  const interval = 40n * ms;
  /** Frames lost before one that is two intervals behind the last, asked for and arrived then. */
  const lost = (asked: bigint, arrived: bigint) => {
    const timeline = new Timeline('gaps while unrequested');
    timeline.place(raw({ pts: 0n, arrived: 1000n * ms, interval }));
    const next = { asked: 1000n * ms + asked, arrived: 1000n * ms + arrived };
    return timeline.place(raw({ pts: 80n * ms, ...next, interval })).lost;
  };

  test('those asked for within half an interval', () => {
    expect([lost(19n * ms, 80n * ms), lost(20n * ms, 80n * ms)]).toEqual([0, 1]);
    expect(lost(60n * ms, 80n * ms)).toBe(1);
  });

  test('not those that were there when they were asked for', () => {
    expect([lost(ms, ms + 500_000n), lost(ms, ms + 500_001n)]).toEqual([1, 0]);
  });
});

describe('the frame interval of a camera that states none', () => {
  const timeline = () => {
    const line = new Timeline('every gap');
    let at = 0;
    return (step: number, wanted = true) => {
      at += step;
      const arrived = BigInt(1000 + at) * ms;
      const asked = wanted ? BigInt(1001 + at - step) * ms : arrived - 2n * ms;
      return line.place(raw({ pts: BigInt(at) * ms, arrived, asked })).lost;
    };
  };
  const repeat = (n: number, step: () => number) => Array.from({ length: n }, step);

  test('is known from five steps on', () => {
    const next = timeline();
    expect(repeat(9, () => next(200))).toEqual([0, 5, 5, 5, 5, 5, 0, 0, 0]);
  });

  test('is not taken from gaps in which frames were lost', () => {
    const next = timeline();
    repeat(10, () => next(50));
    expect(new Set(repeat(40, () => next(200, false)))).toEqual(new Set([3]));
  });

  test('follows a change of rate within 16 frames, however long it has run', () => {
    const next = timeline();
    repeat(200, () => next(50));
    expect(repeat(25, () => next(200)).slice(-5)).toEqual([0, 0, 0, 0, 0]);
  });
});
