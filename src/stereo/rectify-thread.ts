import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Intrinsics, Picture, StereoFrame } from '../core/frame.ts';
import { JobThread, room } from '../core/job-thread.ts';
import type { Size } from '../core/size.ts';
import { scaleIntrinsics } from '../depth/intrinsics.ts';
import type { Rig, RigCamera } from './camera-model.ts';
import type { Request, Response } from './rectify-protocol.ts';

/** A thread that rectifies the pairs of a rig, one after the other. */
export class RectifyThread {
  readonly #rig: Rig;
  readonly #thread = new JobThread<Request, Response>(
    entryPoint('stereo/rectify-worker'),
    'rectification',
  );
  #pixels = new SharedArrayBuffer(0);
  #out = new SharedArrayBuffer(0);
  /** The rig at the size of the pictures, whose maps the worker has. */
  #scaled: (Rig & { readonly size: Size }) | undefined;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /**
   * The pair with rows that agree, and the geometry of the rectified cameras.
   *
   * @throws DepthlineError `SOURCE` if the pictures have another shape than those that were calibrated
   */
  run(frame: StereoFrame): Promise<StereoFrame> {
    const { width, height, left, right } = frame;
    return this.#thread.run(async (send) => {
      const rig = await this.#rigFor({ width, height }, send);
      const bytes = width * height * 3;
      this.#pixels = room(this.#pixels, 2 * bytes);
      this.#out = room(this.#out, 2 * bytes);
      for (const [i, picture] of [left, right].entries())
        new Uint8Array(this.#pixels, i * bytes, bytes).set(rgbOf(picture));
      const { ms } = await send({ type: 'rectify', pixels: this.#pixels, out: this.#out });
      const pictureAt = (i: number): Picture => ({
        ...{ width, height, format: 'rgb' },
        data: new Uint8Array(new Uint8Array(this.#out, i * bytes, bytes)),
      });
      // Truth of the picture as it was captured is not that of the rectified one.
      const { truth: _, ...base } = frame;
      return {
        ...base,
        left: pictureAt(0),
        right: pictureAt(1),
        ...geometryOf(rig),
        timings: { ...frame.timings, rectify: ms },
      };
    });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #rigFor(
    size: Size,
    send: (request: Request) => Promise<Response>,
  ): Promise<Rig & { readonly size: Size }> {
    const known = this.#scaled;
    if (known?.size.width === size.width && known.size.height === size.height) return known;
    const rig = scaledRig(this.#rig, size);
    await send({ type: 'prepare', left: rig.left, right: rig.right, size });
    this.#scaled = rig;
    return rig;
  }
}

/** What a rectified pair says of itself. */
function geometryOf({ left, right, baseline }: Rig) {
  return {
    intrinsics: left.rectified,
    baseline,
    offset: right.rectified.cx - left.rectified.cx,
    rectified: true,
  };
}

/** The rig for pictures of another size but the same shape. */
export function scaledRig(rig: Rig, size: Size): Rig & { readonly size: Size } {
  const from = rig.size ?? size;
  if (from.width === size.width && from.height === size.height) return { ...rig, size };
  if (Math.abs((from.width * size.height) / (from.height * size.width) - 1) > 0.01) {
    throw new DepthlineError(
      'SOURCE',
      `the calibration is for pictures of ${from.width}×${from.height}, and these are ${size.width}×${size.height}, of another shape; calibrate the cameras at their size`,
    );
  }
  const scale = (k: Intrinsics) => scaleIntrinsics(k, from, size);
  const camera = (one: RigCamera): RigCamera => ({
    ...one,
    intrinsics: scale(one.intrinsics),
    rectified: scale(one.rectified),
  });
  return { ...rig, size, left: camera(rig.left), right: camera(rig.right) };
}

function rgbOf({ format, data, width, height }: Picture): Uint8Array {
  if (format === 'rgb') return data;
  const out = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    out[3 * i] = data[4 * i] as number;
    out[3 * i + 1] = data[4 * i + 1] as number;
    out[3 * i + 2] = data[4 * i + 2] as number;
  }
  return out;
}
