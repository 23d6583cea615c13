import type { DepthMap } from '../../core/frame.ts';

const header = /^Pf\s+(\d+)\s+(\d+)\s+(-?\d+(?:\.\d+)?)\s/;

/**
 * A grey PFM picture: float32, rows from bottom to top; what is infinite becomes 0.
 *
 * @throws Error if it is none
 */
export function parsePfm(bytes: Uint8Array): DepthMap {
  const start = Buffer.from(bytes.subarray(0, 100)).toString('latin1');
  const [text, columns, rows, scale] = header.exec(start) ?? [];
  if (text === undefined) throw new Error('it is no grey PFM picture (Pf)');
  const [width, height] = [Number(columns), Number(rows)];
  if (bytes.length < text.length + 4 * width * height) throw new Error('it is cut off');
  const values = new DataView(bytes.buffer, bytes.byteOffset + text.length);
  const littleEndian = Number(scale) < 0;
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = values.getFloat32(4 * ((height - 1 - y) * width + x), littleEndian);
      if (Number.isFinite(value) && value > 0) data[y * width + x] = value;
    }
  }
  return { width, height, data };
}
