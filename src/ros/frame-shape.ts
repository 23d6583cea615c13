import type { Frame } from '../core/frame.ts';

/** What decides on which topics a frame has messages. */
export function frameShape(frame: Frame): string {
  const { kind, intrinsics, truth } = frame;
  if (kind !== 'depth') return [kind, !!intrinsics, !!truth].join();
  const { unit, image, picture } = frame;
  const calibrated = [frame, image, picture].map((part) => !!part?.intrinsics);
  return [kind, unit, !!image, !!picture, !!truth, ...calibrated].join();
}
