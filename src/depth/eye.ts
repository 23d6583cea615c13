import { derive, type ImageFrame, type StereoFrame } from '../core/frame.ts';

/** One picture of a pair as a frame; geometry and truth are those of the left one. */
export function eyeOf(frame: StereoFrame, side: 'left' | 'right'): ImageFrame {
  const { intrinsics, truth, ...base } = derive(frame);
  const { offset = 0 } = frame;
  const camera =
    side === 'right' && intrinsics ? { ...intrinsics, cx: intrinsics.cx + offset } : intrinsics;
  return {
    ...{ kind: 'image', ...base, ...frame[side] },
    ...(camera && { intrinsics: camera }),
    ...(side === 'left' && truth && { truth }),
  };
}
