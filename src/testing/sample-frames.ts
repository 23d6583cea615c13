import type {
  DataFrame,
  DepthFrame,
  Frame,
  FrameBase,
  FrameKind,
  ImageFrame,
  PointsFrame,
  StereoFrame,
} from '../core/frame.ts';

const epoch = 1_700_000_000_000_000_000n;

/** Identity and times of the `seq`-th frame of a 30 fps source. */
export function frameBase(seq = 0): FrameBase {
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
  return { kind: 'image', ...frameBase(seq), width, height, format: 'rgb', data };
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
  return { kind: 'depth', ...frameBase(seq), width, height, data };
}

/** A rectified pair of a flat wall, 2 pixels of disparity away: 0.7 m at its baseline of 0.1 m. */
export function stereoFrame(width = 8, height = 6, seq = 0, disparity = 2): StereoFrame {
  const eye = (shift: number) =>
    imageFrame(width, height, seq, (x, y) => {
      const value = ((x + shift) * 53 + y * 31 + seq) & 255;
      return [value, 255 - value, (value * 7) & 255];
    });
  const [left, right] = [eye(0), eye(disparity)];
  return {
    ...{ kind: 'stereo', ...frameBase(seq), width, height, left, right },
    ...{ baseline: 0.1, rectified: true },
    intrinsics: { fx: 14, fy: 14, cx: (width - 1) / 2, cy: (height - 1) / 2 },
  };
}

/** Two points. */
export function pointsFrame(seq = 0): PointsFrame {
  const data = Float32Array.of(0, 0, 1 + seq, 0.5, -0.5, 2);
  return { kind: 'points', ...frameBase(seq), count: 2, data };
}

/** A value of JSON, `{ seq }` by default. */
export function dataFrame(seq = 0, value: unknown = { seq }): DataFrame {
  return { kind: 'data', ...frameBase(seq), value };
}

const sampled: Readonly<Record<FrameKind, (seq: number) => Frame>> = {
  image: (seq) => imageFrame(16, 12, seq),
  depth: (seq) => ({
    ...depthFrame(16, 12, seq, (x, y) => 1 + (x + y + seq) / 8),
    image: imageFrame(16, 12, seq),
    intrinsics: { fx: 14, fy: 14, cx: 7.5, cy: 5.5 },
  }),
  stereo: (seq) => stereoFrame(16, 12, seq),
  points: pointsFrame,
  data: (seq) => dataFrame(seq),
};

/** The `seq`-th sample frame of a kind, 16 × 12 where it has pixels. */
export function sampleFrame(kind: FrameKind, seq = 0): Frame {
  return sampled[kind](seq);
}
