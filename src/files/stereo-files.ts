import type { StereoFrame } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { stereoGeometry, swapDisparity } from '../depth/disparity.ts';
import type * as encoders from '../imaging/encode.ts';
import { calibrationText } from './calibration-text.ts';
import type { FilePart } from './file-part.ts';

/** Subfolders of a data set of pairs. */
export const stereoFolders = ['left', 'right', 'disparity', 'calib'] as const;

export interface StereoFileOptions {
  readonly format: string;
  readonly quality: number;
}

/**
 * The files of a pair: both pictures, the true disparity of the left one where the frame has truth
 * (16-bit PNG, 1/256 pixel, 0 unknown, as KITTI writes it), and its calibration as Middlebury writes it.
 *
 * @throws FrameRefused if the frame has no baseline or no intrinsics
 */
export function stereoFiles(
  frame: StereoFrame,
  stem: string,
  { format, quality }: StereoFileOptions,
  { encodeDisparityPng, encodeJpeg, encodePng }: typeof encoders,
): FilePart[] {
  const geometry = stereoGeometry(frame);
  if (!geometry || !frame.intrinsics)
    throw new FrameRefused(
      `layout stereo needs the baseline and the intrinsics, but frame ${frame.seq} lacks them; set "calibration" on the source`,
    );
  const { truth, intrinsics, width, height } = frame;
  const jpeg = format === 'jpeg';
  const picture = (side: 'left' | 'right'): FilePart => ({
    name: `${side}/${stem}.${jpeg ? 'jpg' : 'png'}`,
    encode: () => (jpeg ? encodeJpeg(frame[side], quality) : encodePng(frame[side])),
  });
  const text = calibrationText({ intrinsics, ...geometry, width, height });
  return [
    picture('left'),
    picture('right'),
    ...(truth
      ? [
          {
            name: `disparity/${stem}.png`,
            encode: () =>
              encodeDisparityPng({
                ...truth,
                data: swapDisparity(truth.data, geometry, 'disparity'),
              }),
          },
        ]
      : []),
    { name: `calib/${stem}.txt`, encode: () => new TextEncoder().encode(text) },
  ];
}
