import type { DepthFrame, FrameBase, ImageFrame } from '../../src/core/frame.ts';

const epoch = 1_700_000_000_000_000_000n;

/** Identity of the `seq`-th frame of a 30 fps source. */
export function base(seq = 0): FrameBase {
  const pts = (BigInt(seq) * 1_000_000_000n) / 30n;
  return { seq, pts, capturedAt: epoch + pts, source: 'test' };
}

/** An RGB frame; `fill` gives each pixel's colour (default: a gradient that depends on seq). */
export function imageFrame(
  width = 8,
  height = 6,
  seq = 0,
  fill: (x: number, y: number) => readonly [number, number, number] = (x, y) => [
    (x * 8 + seq) & 255,
    (y * 8) & 255,
    128,
  ],
): ImageFrame {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(fill(x, y), (y * width + x) * 3);
  }
  return { kind: 'image', ...base(seq), width, height, format: 'rgb', data };
}

/** A depth frame in metres; `fill` gives each pixel's depth (default 2 m everywhere). */
export function depthFrame(
  width = 8,
  height = 6,
  seq = 0,
  fill: (x: number, y: number) => number = () => 2,
): DepthFrame {
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = fill(x, y);
  }
  return { kind: 'depth', ...base(seq), width, height, data };
}
