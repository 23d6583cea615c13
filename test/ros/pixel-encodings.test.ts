import { describe, expect, it } from 'vitest';
import type { ImageMessage } from '../../src/ros/messages.ts';
import { depthOf, pictureOf } from '../../src/ros/pixel-encodings.ts';

const header = { stamp: { sec: 0, nanosec: 0 }, frame_id: '' };

function message(
  encoding: string,
  width: number,
  rows: readonly number[][],
  pad = 0,
): ImageMessage {
  const step = (rows[0]?.length ?? 0) + pad;
  const data = new Uint8Array(step * rows.length).fill(99);
  for (const [y, row] of rows.entries()) data.set(row, y * step);
  return { header, width, height: rows.length, encoding, is_bigendian: 0, step, data };
}

describe('pictures', () => {
  it.each([
    ['rgb8', [1, 2, 3, 4, 5, 6]],
    ['bgr8', [3, 2, 1, 6, 5, 4]],
    ['8UC3', [3, 2, 1, 6, 5, 4]],
    ['bgra8', [3, 2, 1, 9, 6, 5, 4, 9]],
  ])('%s with and without padding', (encoding, row) => {
    for (const pad of [0, 3]) {
      const picture = pictureOf(message(encoding, 2, [row, row], pad));
      expect(picture).toMatchObject({ width: 2, height: 2, format: 'rgb' });
      expect([...picture.data]).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    }
  });

  it('rgba8 keeps its fourth channel', () => {
    const picture = pictureOf(message('rgba8', 1, [[1, 2, 3, 4]]));
    expect(picture).toMatchObject({ format: 'rgba', data: Uint8Array.of(1, 2, 3, 4) });
  });

  it('mono8', () => {
    expect([...pictureOf(message('mono8', 2, [[7, 8]], 2)).data]).toEqual([7, 7, 7, 8, 8, 8]);
  });

  // BT.601: white, black, and the primaries as their tables give them.
  it.each([
    [
      [235, 128, 128],
      [255, 255, 255],
    ],
    [
      [16, 128, 128],
      [0, 0, 0],
    ],
    [
      [81, 90, 240],
      [254, 0, 0],
    ],
    [
      [145, 54, 34],
      [0, 255, 1],
    ],
    [
      [41, 240, 110],
      [0, 0, 255],
    ],
  ])('yuv422 %j is rgb %j, in both orders, also with an odd width', ([y, u, v], rgb) => {
    const uyvy = [u, y, v, y, u, y, v, 0] as number[];
    const yuyv = [y, u, y, v, y, u, 0, v] as number[];
    for (const [encoding, row] of [
      ['yuv422', uyvy],
      ['yuv422_yuy2', yuyv],
    ] as const) {
      const { data } = pictureOf(message(encoding, 3, [row]));
      for (const [i, value] of [...data].entries())
        expect(Math.abs(value - (rgb[i % 3] as number))).toBeLessThanOrEqual(1);
    }
  });

  it('refuses what it does not know, and says what it does', () => {
    expect(() => pictureOf(message('bayer_rggb8', 1, [[0]]))).toThrow(
      'pixel encoding "bayer_rggb8" is not supported; supported: rgb8, bgr8',
    );
    expect(() => pictureOf(message('toString', 1, [[0]]))).toThrow('not supported');
  });

  it.each([
    ['too few bytes', { data: new Uint8Array(5) }],
    ['rows shorter than the width', { step: 2 }],
    ['no pixels', { width: 0 }],
    ['more pixels than memory', { width: 2 ** 31, height: 2 ** 31 }],
  ])('refuses %s', (_, harm) => {
    const good = message('rgb8', 2, [[1, 2, 3, 4, 5, 6]]);
    expect(() => pictureOf({ ...good, ...harm })).toThrow('an image of');
  });
});

describe('depth', () => {
  const floats = [1.5, Number.NaN, Number.POSITIVE_INFINITY, -1];
  const bytes = [...new Uint8Array(Float32Array.from(floats).buffer)];

  it('32FC1 is metres; what is not a depth is 0', () => {
    expect([...depthOf(message('32FC1', 4, [bytes], 4)).data]).toEqual([1.5, 0, 0, 0]);
  });

  it('16UC1 is millimetres', () => {
    expect([...depthOf(message('16UC1', 2, [[0xdc, 5, 0, 0]])).data]).toEqual([1.5, 0]);
  });

  it('big-endian is read as such', () => {
    const swapped = Buffer.from(bytes).swap32();
    const depth = depthOf({ ...message('32FC1', 4, [[...swapped]]), is_bigendian: 1 });
    expect([...depth.data]).toEqual([1.5, 0, 0, 0]);
    const short = { ...message('mono16', 1, [[5, 0xdc]]), is_bigendian: 1 };
    expect([...depthOf(short).data]).toEqual([1.5]);
  });

  it('refuses a picture', () => {
    expect(() => depthOf(message('rgb8', 1, [[1, 2, 3]]))).toThrow('supported: 16UC1');
  });
});
