import { expect, it } from 'vitest';
import { expandTime, hasTime, staticPart, staysInside } from '../../src/files/time-fields.ts';

const at = BigInt(new Date('2026-03-01T09:05:07').getTime()) * 1_000_000n + 999_999n;

it('fills in fields in local time', () => {
  expect(expandTime('out/%Y-%m-%d/%H%M%S.mkv', at)).toBe('out/2026-03-01/090507.mkv');
  expect(expandTime('out/100%%', at)).toBe('out/100%');
  expect(expandTime('out', at)).toBe('out');
  expect([hasTime('out/%H'), hasTime('out')]).toEqual([true, false]);
});

it('knows the folders that are always the same', () => {
  expect(staticPart('out/%Y/%m')).toBe('out');
  expect(staticPart('out/run-%Y/x')).toBe('out');
  expect(staticPart('%Y')).toBe('.');
  expect(staticPart('out/a')).toBe('out/a');
});

it('does not let a field lead out', () => {
  expect(staysInside('../a/%Y')).toBe(true);
  expect(staysInside('%Y/../..')).toBe(false);
});
