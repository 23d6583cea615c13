import { expect, it } from 'vitest';
import { isZonesValue } from '../../src/zones/zones-value.ts';

const zone = { inside: true, distance: 0.4, since: null };

it('knows the value of zones, whatever their names', () => {
  const zones = { door: zone, 'left-1_b': zone };
  expect(isZonesValue({ zones, events: [] })).toBe(true);
});

it.each(['a/b', '#', '+', '', 'a b', 'a\0', 'x'.repeat(65)])(
  'takes no value for one that names a zone %j, which is not in a topic',
  (name) => {
    expect(isZonesValue({ zones: { door: zone, [name]: zone }, events: [] })).toBe(false);
  },
);

it.each([undefined, null, 1, {}, { zones: {} }, { zones: { door: {} }, events: [] }])(
  'takes no other value for one: %j',
  (value) => {
    expect(isZonesValue(value)).toBe(false);
  },
);
