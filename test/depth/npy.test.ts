import { describe, expect, it } from 'vitest';
import { encodeNpy } from '../../src/depth/npy.ts';

/** Reads a file as NumPy's format description says, not as the encoder wrote it. */
function decode(file: Uint8Array) {
  expect(Buffer.from(file.subarray(0, 6)).toString('latin1')).toBe('\x93NUMPY');
  expect([...file.subarray(6, 8)]).toEqual([1, 0]);
  const headerLength = new DataView(file.buffer, file.byteOffset).getUint16(8, true);
  const start = 10 + headerLength;
  const header = Buffer.from(file.subarray(10, start)).toString('ascii');
  return { header, start, data: file.subarray(start) };
}

describe('a .npy file', () => {
  it.each([
    ['float32', Float32Array.of(1.5, 0, 3), '<f4'],
    ['uint16', Uint16Array.of(1, 65_535, 3), '<u2'],
    ['uint8', Uint8Array.of(1, 255, 3), '|u1'],
  ])('of %s states its type and holds its bytes', (_, data, descr) => {
    const { header, data: bytes } = decode(encodeNpy(data, [1, 3]));
    expect(header.trimEnd()).toBe(
      `{'descr': '${descr}', 'fortran_order': False, 'shape': (1, 3), }`,
    );
    expect(bytes).toEqual(new Uint8Array(data.buffer));
  });

  it('writes the shape of one dimension as a Python tuple', () => {
    expect(decode(encodeNpy(new Uint8Array(4), [4])).header).toContain("'shape': (4,), }");
  });

  it.each([[[1]], [[224, 224]], [[1, 2, 3, 4, 5, 6, 7, 8]], [Array(30).fill(1)]])(
    'of shape %j ends its header with a newline, before data at a multiple of 64',
    (shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const { header, start, data } = decode(encodeNpy(new Uint8Array(size).fill(9), shape));
      expect(start % 64).toBe(0);
      expect(header.endsWith('\n')).toBe(true);
      // No more padding than that takes.
      expect(start - (10 + header.trimEnd().length + 1)).toBeLessThan(64);
      expect(data).toEqual(new Uint8Array(size).fill(9));
    },
  );

  it('states the length of a header above 255 bytes', () => {
    const { header } = decode(encodeNpy(new Uint8Array(1), Array(100).fill(1)));
    expect(header).toContain(`(${Array(100).fill('1').join(', ')})`);
  });

  it('takes only its part of a shared buffer', () => {
    const part = new Uint16Array(Uint16Array.of(1, 2, 3, 4).buffer, 2, 2);
    expect([...decode(encodeNpy(part, [2])).data]).toEqual([2, 0, 3, 0]);
  });
});
