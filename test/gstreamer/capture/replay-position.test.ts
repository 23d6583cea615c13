import { describe, expect, test } from 'vitest';
import {
  FramePosition,
  type ReplayPosition,
  TimePosition,
} from '../../../src/gstreamer/capture/replay-position.ts';
import { fc } from '../../support/property.ts';

/** Reads `file` to `n` frames, is interrupted there, and reads it again from the beginning. */
function interrupted(position: ReplayPosition, file: readonly bigint[], ...stops: number[]) {
  const taken: number[] = [];
  for (const stop of [...stops, file.length]) {
    for (const [i, pts] of file.entries()) {
      if (i === stop) break;
      if (position.seenBefore({ pts })) continue;
      position.advance({ pts });
      taken.push(i);
    }
    position.resume();
  }
  return taken;
}

const thirty = Array.from({ length: 30 }, (_, i) => BigInt(i) * 33n);
const positions = [
  ['frames', () => new FramePosition()],
  ['time', () => new TimePosition()],
] as const;

describe.each(positions)('a position in %s', (_, make) => {
  test.each([
    ['rises', [...thirty, ...thirty.map((pts) => pts + 990n)]],
    ['begins again within the file', [...thirty, ...thirty]],
    [
      'begins again twice',
      [...thirty.slice(0, 20), ...thirty.slice(0, 20), ...thirty.slice(5, 25)],
    ],
  ])('gives each frame once where the PTS %s, wherever it is interrupted', (_, file) => {
    const stop = fc.integer({ min: 0, max: file.length });
    fc.assert(
      fc.property(fc.array(stop, { maxLength: 3 }), (stops) => {
        const rising = stops.toSorted((a, b) => a - b);
        expect(interrupted(make(), file, ...rising)).toEqual([...file.keys()]);
      }),
    );
  });

  test('forgets what was seen when the file begins again', () => {
    const position = make();
    for (const pts of thirty) position.advance({ pts });
    position.rewind();
    expect(thirty.map((pts) => position.seenBefore({ pts }))).not.toContain(true);
    expect(position.pts).toBe(0n);
  });
});

test('a position in time knows from which PTS on nothing was seen, where frames were dropped', () => {
  const position = new TimePosition();
  for (const pts of [0n, 66n, 132n]) position.advance({ pts });
  position.resume();
  expect(position.pts).toBe(132n);
  expect([0n, 33n, 66n, 99n, 132n, 165n].map((pts) => position.seenBefore({ pts }))).toEqual([
    true,
    true,
    true,
    true,
    true,
    false,
  ]);
});

test.each(positions)('a position in %s that is rewound has nothing to skip', (_, make) => {
  const position = make();
  for (const pts of thirty) position.advance({ pts });
  position.resume();
  position.rewind();
  expect(position.seenBefore({ pts: 0n })).toBe(false);
  position.resume();
  expect(position.seenBefore({ pts: 0n })).toBe(false);
});

describe('a position in time', () => {
  test('stays where it is at a frame without PTS', () => {
    const position = new TimePosition();
    for (const pts of [0n, 33n, undefined]) position.advance({ pts });
    position.resume();
    expect(position.pts).toBe(33n);
  });

  test('takes frames with the same PTS for one', () => {
    const position = new TimePosition();
    for (const pts of [0n, 33n]) position.advance({ pts });
    position.resume();
    const file = [0n, 33n, 33n, 66n];
    expect(file.map((pts) => position.seenBefore({ pts }))).toEqual([true, true, true, false]);
  });
});
