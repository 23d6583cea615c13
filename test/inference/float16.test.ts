import { describe, expect, it } from 'vitest';
import { float16Bits, fromFloat16 } from '../../src/inference/float16.ts';

const infinity = 0x7c00;
const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
const values = new Float32Array(0x10000);
fromFloat16(all, values);
const isNumber = (bits: number) => (bits & 0x7fff) <= infinity;

describe('half precision', () => {
  it.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0xfc00, -Number.POSITIVE_INFINITY],
  ])('0x%x is %d', (bits, value) => {
    expect(values[bits]).toBe(value);
    expect(float16Bits(value)).toBe(bits);
  });

  it('every half becomes a number and the same half again', () => {
    const wrong = [...all].filter((bits) => isNumber(bits) && float16Bits(values[bits]!) !== bits);
    expect(wrong).toEqual([]);
    expect(Number.isNaN(values[0x7e00])).toBe(true);
    expect(float16Bits(Number.NaN)).toBe(0x7e00);
  });

  it('a number between two halves becomes the nearer, and the even one from the middle', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [values[bits]!, values[bits + 1]!];
      const even = bits % 2 === 0 ? bits : bits + 1;
      const found = [0.25, 0.5, 0.75].map((part) => float16Bits(low + part * (high - low)));
      if (found.join() !== [bits, even, bits + 1].join()) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('what is too large becomes infinite', () => {
    expect([65519, 65520, 1e9, -1e9].map(float16Bits)).toEqual([
      0x7bff,
      infinity,
      infinity,
      0xfc00,
    ]);
  });
});
