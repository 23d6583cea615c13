import { describe, expect, it } from 'vitest';
import { hint, nearest } from '../../src/core/did-you-mean.ts';

describe('nearest', () => {
  it('is the closest name, up to two edits of a short word', () => {
    expect(nearest('widht', ['height', 'width'])).toBe('width');
    expect(nearest('fsp', ['frames', 'fps'])).toBe('fps');
    expect(nearest('abc', ['xyc'])).toBe('xyc');
    expect(nearest('abc', ['xyz'])).toBeUndefined();
  });

  it('allows one edit for each three letters of a long word', () => {
    expect(nearest('abcdefghi', ['xyzdefghi'])).toBe('xyzdefghi');
    expect(nearest('abcdefghi', ['wxyzefghi'])).toBeUndefined();
  });

  it('is nothing without names', () => {
    expect(nearest('width', [])).toBeUndefined();
  });
});

describe('hint', () => {
  it('suggests the closest name', () => {
    expect(hint('smoth', ['clamp', 'smooth'])).toBe('; did you mean "smooth"?');
  });

  it('lists the valid names if none is close, each once', () => {
    expect(hint('blur', ['clamp', 'smooth', 'clamp'])).toBe('; valid: clamp, smooth');
  });

  it('is empty without names', () => {
    expect(hint('blur', [])).toBe('');
  });
});

it('lists a name once that two components share', () => {
  expect(hint('xqzw', ['video', 'zeromq', 'zeromq'])).toBe('; valid: video, zeromq');
});
