import type { ImageFrame } from '../../src/core/frame.ts';
import { wholeView } from '../../src/depth/view.ts';
import { Film } from '../../src/synthetic/film.ts';

export const roomSize = { width: 1280, height: 720 };

/** A function that takes one picture in each of a row of rooms, with its true depth; always the same. */
export function rooms(): (index: number) => ImageFrame {
  const film = new Film({
    seed: 11,
    ...roomSize,
    aspect: roomSize.width / roomSize.height,
    fps: 30,
    framesPerRoom: 1,
    motion: 'views',
    fieldOfView: [60, 75],
    noise: 0.3,
  });
  return (index) => {
    const { rgb, depth, intrinsics } = film.shoot(index);
    return {
      kind: 'image',
      seq: index,
      pts: 0n,
      capturedAt: 0n,
      source: 'synthetic-room',
      ...roomSize,
      format: 'rgb',
      data: rgb,
      intrinsics,
      view: wholeView(roomSize),
      truth: { ...roomSize, data: depth },
    };
  };
}
