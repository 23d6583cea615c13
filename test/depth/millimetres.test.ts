import { expect, it } from 'vitest';
import { fromMillimetres, toMillimetres } from '../../src/depth/millimetres.ts';

it('rounds metres to whole millimetres', () => {
  const metres = Float32Array.of(1, 0.0005, 0.0004, 1.2344, 1.2347);
  expect([...toMillimetres(metres)]).toEqual([1000, 1, 0, 1234, 1235]);
});

it('makes invalid depths 0', () => {
  const metres = Float32Array.of(0, -1, Number.NaN, Number.POSITIVE_INFINITY);
  expect([...toMillimetres(metres)]).toEqual([0, 0, 0, 0]);
});

it('saturates beyond 65.535 m instead of starting over at 0', () => {
  const metres = Float32Array.of(65.534, 65.535, 65.5357, 65.536, 1000);
  expect([...toMillimetres(metres)]).toEqual([65_534, 65_535, 65_535, 65_535, 65_535]);
});

it('overwrites what a reused array held, also where a depth is invalid', () => {
  const out = Uint16Array.of(7, 7);
  expect(toMillimetres(Float32Array.of(0, 2), out)).toBe(out);
  expect([...out]).toEqual([0, 2000]);
});

it('reads what it wrote, with 0 as invalid', () => {
  const metres = fromMillimetres(Uint16Array.of(0, 1, 1500, 65_535));
  expect([...metres]).toEqual([0, ...[0.001, 1.5, 65.535].map(Math.fround)]);
  expect([...toMillimetres(metres)]).toEqual([0, 1, 1500, 65_535]);
  const out = new Float32Array(1);
  expect(fromMillimetres(Uint16Array.of(2500), out)).toBe(out);
  expect(out[0]).toBe(2.5);
});

it('leaves the rest of a longer array as it is', () => {
  const millimetres = Uint16Array.of(1, 2, 3);
  toMillimetres(Float32Array.of(5, 5), millimetres);
  expect([...millimetres]).toEqual([5000, 5000, 3]);
  const metres = Float32Array.of(1, 2, 3);
  fromMillimetres(Uint16Array.of(5000, 5000), metres);
  expect([...metres]).toEqual([5, 5, 3]);
});
