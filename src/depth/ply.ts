import type { Points } from './unproject.ts';

/**
 * Points as a PLY file: `binary_little_endian`, `float x y z` in metres and, if there are colours,
 * `uchar red green blue`.
 */
export function encodePly({ count, data, colors }: Points): Uint8Array {
  const header = [
    'ply',
    'format binary_little_endian 1.0',
    'comment camera coordinates in metres: x right, y down, z forward',
    `element vertex ${count}`,
    ...['x', 'y', 'z'].map((axis) => `property float ${axis}`),
    ...(colors ? ['red', 'green', 'blue'].map((color) => `property uchar ${color}`) : []),
    'end_header\n',
  ].join('\n');
  const start = header.length;
  const stride = colors ? 15 : 12;
  const out = new Uint8Array(start + count * stride);
  out.set(new TextEncoder().encode(header));
  const view = new DataView(out.buffer, start);
  for (let i = 0, at = 0; i < count * 3; i += 3, at += stride) {
    view.setFloat32(at, data[i] as number, true);
    view.setFloat32(at + 4, data[i + 1] as number, true);
    view.setFloat32(at + 8, data[i + 2] as number, true);
    if (!colors) continue;
    view.setUint8(at + 12, colors[i] as number);
    view.setUint8(at + 13, colors[i + 1] as number);
    view.setUint8(at + 14, colors[i + 2] as number);
  }
  return out;
}
