import { describe, expect, it } from 'vitest';
import { decodeNpyDepth, encodeNpy } from '../../src/depth/npy.ts';

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

  it('has room for its newline, however long its shape', () => {
    for (let sides = 2; sides < 66; sides++) {
      const { header, start, data } = decode(encodeNpy(Uint8Array.of(9), Array(sides).fill(1)));
      expect(start % 64).toBe(0);
      expect(header).toMatch(/, \} *\n$/);
      expect([...data]).toEqual([9]);
    }
  });

  it('states the length of a header above 255 bytes', () => {
    const { header } = decode(encodeNpy(new Uint8Array(1), Array(100).fill(1)));
    expect(header).toContain(`(${Array(100).fill('1').join(', ')})`);
  });

  it('takes only its part of a shared buffer', () => {
    const part = new Uint16Array(Uint16Array.of(1, 2, 3, 4).buffer, 2, 2);
    expect([...decode(encodeNpy(part, [2])).data]).toEqual([2, 0, 3, 0]);
  });
});

/** A file as another program may write it. */
function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(header.length, 0, length.length);
  const start = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  return Buffer.concat([start, length, Buffer.from(header, 'latin1'), data]);
}

const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
const bytes = (data: Float32Array | Float64Array | Uint16Array) => new Uint8Array(data.buffer);
const six = Float32Array.of(1, 2, 3, 0.5, 0, 6);

describe('depth read from a .npy file', () => {
  it.each([
    ['float32', six],
    ['uint16 millimetres', Uint16Array.of(1000, 2000, 3000, 500, 0, 6000)],
  ])('is what was written as %s', (_, data) => {
    expect(decodeNpyDepth(encodeNpy(data, [2, 3]))).toEqual({ width: 3, height: 2, data: six });
  });

  it.each([1, 2, 3])('is read from version %i of the format', (version) => {
    const file = npy(header('<f4', '(2, 3)'), bytes(six), version);
    expect(decodeNpyDepth(file)).toEqual({ width: 3, height: 2, data: six });
  });

  it('may be float64, without spaces, and with data behind it', () => {
    const text = "{'shape':(2,3),'fortran_order':False,'descr':'<f8'}";
    const data = bytes(Float64Array.of(...six, 99));
    expect(decodeNpyDepth(npy(text, data))).toEqual({ width: 3, height: 2, data: six });
  });

  it('may have a comma behind its sides', () => {
    const file = npy(header('<f4', '(2, 3, )'), bytes(six));
    expect(decodeNpyDepth(file)).toMatchObject({ width: 3, height: 2 });
  });

  it('is refused in Fortran order without a space before it, too', () => {
    const text = "{'shape':(2,3),'fortran_order':True,'descr':'<f4'}";
    expect(() => decodeNpyDepth(npy(text, bytes(six)))).toThrow('in Fortran order');
  });

  it('shares no memory with the file', () => {
    const file = npy(header('<f4', '(2, 3)'), bytes(six));
    const { data } = decodeNpyDepth(file);
    file.fill(0);
    expect(data).toEqual(six);
  });

  it.each([
    ['<f4', '(6,)', 'False', 'it holds <f4 of shape (6), where'],
    ['<f4', '()', 'False', 'it holds <f4 of shape (), where'],
    ['<f4', '(1, 2, 3)', 'False', 'it holds <f4 of shape (1, 2, 3), where'],
    ['<f4', '(0, 3)', 'False', 'it holds <f4 of shape (0, 3), where'],
    ['<f4', '(2, 0)', 'False', 'it holds <f4 of shape (2, 0), where'],
    ['<i4', '(2, 3)', 'False', 'it holds <i4 of shape (2, 3), where'],
    ['<f4', '(2, 3)', 'True', 'it holds <f4 of shape (2, 3) in Fortran order, where'],
  ])('is refused as %s of shape %s, Fortran order %s', (descr, shape, order, message) => {
    const file = npy(header(descr, shape, order), bytes(six));
    expect(() => decodeNpyDepth(file)).toThrow(message);
  });

  it('is refused where it is cut off', () => {
    const file = npy(header('<f4', '(2, 3)'), bytes(six));
    expect(() => decodeNpyDepth(file.subarray(0, -1))).toThrow(
      'it is cut off: 23 bytes of data instead of 24',
    );
  });

  it('is a NumPy file with 12 bytes, but has no header', () => {
    const file = npy('{}', new Uint8Array());
    expect(file).toHaveLength(12);
    expect(() => decodeNpyDepth(file)).toThrow('its header cannot be read');
  });

  it.each(["{'fortran_order': False, 'shape': (2, 3)}", "{'descr': '<f4'}", ''])(
    'is refused with the header %j',
    (text) => {
      expect(() => decodeNpyDepth(npy(text, bytes(six)))).toThrow('its header cannot be read');
    },
  );

  it('is refused in a file of another format, however short', () => {
    const file = npy(header('<f4', '(2, 3)'), bytes(six));
    for (let i = 0; i < 6; i++) {
      expect(() => decodeNpyDepth(file.with(i, 0))).toThrow('it is not a NumPy file');
    }
    for (let length = 0; length < 12; length++) {
      expect(() => decodeNpyDepth(file.subarray(0, length))).toThrow('it is not a NumPy file');
    }
  });
});
