import { expect, it } from 'vitest';
import { Numbering } from '../../src/topic/numbering.ts';

const numbered = (...theirs: number[]) => {
  const numbering = new Numbering();
  return theirs.map((seq) => numbering.next(seq));
};

it('starts at 0 and keeps gaps', () => {
  expect(numbered(70, 71, 75)).toEqual([
    { seq: 0, lost: 0 },
    { seq: 1, lost: 0 },
    { seq: 5, lost: 3 },
  ]);
});

it('keeps rising when the publisher restarts, or repeats a number', () => {
  expect(numbered(70, 0, 2, 2)).toEqual([
    { seq: 0, lost: 0 },
    { seq: 1, lost: 0 },
    { seq: 3, lost: 1 },
    { seq: 4, lost: 0 },
  ]);
});

it('counts a gap of up to ten million, and no larger one', () => {
  expect(numbered(0, 10_000_000)).toEqual([
    { seq: 0, lost: 0 },
    { seq: 10_000_000, lost: 9_999_999 },
  ]);
  expect(numbered(0, 10_000_001, 10_000_002)).toEqual([
    { seq: 0, lost: 0 },
    { seq: 1, lost: 0 },
    { seq: 2, lost: 0 },
  ]);
});

it('does not count again what was counted as corrupt', () => {
  const numbering = new Numbering();
  numbering.next(0);
  expect(numbering.next(4, 2)).toEqual({ seq: 4, lost: 1 });
  // More corrupt messages than the gap has room for: not all were frames of this publisher.
  expect(numbering.next(6, 5)).toEqual({ seq: 10, lost: 0 });
});
