import { DepthlineError } from '../core/errors.ts';
import type { ImageFrame, Picture } from '../core/frame.ts';

/**
 * The two eyes of a picture that holds both side by side.
 *
 * @throws DepthlineError `SOURCE` if its width is odd
 */
export function halves(frame: ImageFrame): readonly [ImageFrame, ImageFrame] {
  const { width, height, intrinsics, view: _, truth: __, ...base } = frame;
  if (width % 2 !== 0)
    throw new DepthlineError(
      'SOURCE',
      `a picture of ${width}×${height} does not hold two pictures side by side: its width is odd`,
    );
  const half = width / 2;
  const eye = (left: number): ImageFrame => ({
    ...base,
    ...{ width: half, height, data: columns(frame, left, half) },
    ...(intrinsics && { intrinsics }),
  });
  return [eye(0), eye(half)];
}

function columns({ data, width, height, format }: Picture, left: number, count: number) {
  const channels = format === 'rgba' ? 4 : 3;
  const out = new Uint8Array(count * height * channels);
  for (let y = 0; y < height; y++) {
    const from = channels * (y * width + left);
    out.set(data.subarray(from, from + count * channels), y * count * channels);
  }
  return out;
}
