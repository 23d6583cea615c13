import { expect, it } from 'vitest';
import {
  expandTime,
  fieldsAreKnown,
  hasTime,
  staticPart,
  staysInside,
} from '../../src/files/time-fields.ts';

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

it.each([
  ['out/%Y-%m-%d/%-H%M%S%L', true],
  ['100%%', true],
  ['%s_%z_%:z_%j', true],
  ['100%', false],
  ['%', false],
  ['100% depth', false],
  ['%Y/%Q', false],
  ['%n.mkv', false],
  ['%%%', false],
])('knows the fields of %s: %j', (template, known) => {
  expect(fieldsAreKnown(template)).toBe(known);
});

it('fills in every field that it knows', () => {
  for (const field of 'aAbBCdeFHhIjkLlMmopPrRSsTUuVvWwXYyZz') {
    if (!fieldsAreKnown(`%${field}`)) continue;
    const filled = expandTime(`<%${field}>`, at);
    expect([field, filled]).not.toEqual([field, expect.stringMatching(/%|^<>$|undefined|\//)]);
  }
});
