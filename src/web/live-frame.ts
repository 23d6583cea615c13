import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import type { DepthFrame, ImageFrame } from '../core/frame.ts';
import { toMillimetres } from '../depth/millimetres.ts';
import { toResiduals } from '../depth/residuals.ts';
import { depthExtent } from '../depth/valid-pixels.ts';
import { viewAspect } from '../depth/view.ts';
import { type LiveHeader, packLive } from './live-message.ts';

const deflate = promisify(deflateRaw);

/** Turns a picture into a JPEG. */
export type EncodePicture = (image: ImageFrame) => Promise<Uint8Array>;

/** A frame for the page, encoded once, when the first client takes it. */
export class LiveFrame {
  readonly seq: number;
  readonly camera: string | undefined;
  readonly #encode: () => Promise<Uint8Array>;
  #message: Promise<Uint8Array> | undefined;

  /** @param ageMs the frame's age, asked for when it is encoded */
  constructor(
    frame: DepthFrame | ImageFrame,
    encodePicture: EncodePicture,
    ageMs: (frame: DepthFrame | ImageFrame) => number,
  ) {
    this.seq = frame.seq;
    this.camera = frame.camera;
    this.#encode = () => encodeLive(frame, encodePicture, ageMs(frame));
  }

  message(): Promise<Uint8Array> {
    this.#message ??= this.#encode();
    return this.#message;
  }
}

async function encodeLive(
  frame: DepthFrame | ImageFrame,
  encodePicture: EncodePicture,
  ageMs: number,
): Promise<Uint8Array> {
  const image = frame.kind === 'image' ? frame : frame.image;
  const depth = frame.kind === 'depth' ? frame : undefined;
  const [coded, picture] = await Promise.all([
    depth && encodeDepth(depth),
    image && encodePicture(image),
  ]);
  const header: LiveHeader = {
    seq: frame.seq,
    ...(frame.camera !== undefined && { camera: frame.camera }),
    ageMs: Math.round(ageMs * 10) / 10,
    ptsMs: Number(frame.pts / 1_000_000n),
    aspect: viewAspect(frame),
    ...(depth &&
      coded && {
        depth: {
          width: depth.width,
          height: depth.height,
          bytes: coded.bytes.length,
          step: coded.step,
          unit: depth.unit ?? 'm',
          ...(depth.intrinsics && { intrinsics: depth.intrinsics }),
        },
      }),
    ...(image &&
      picture && {
        picture: { width: image.width, height: image.height, bytes: picture.length },
      }),
  };
  return packLive(header, coded?.bytes, picture);
}

const millimetre = 0.001;
const mostSteps = 65_535;

async function encodeDepth(depth: DepthFrame): Promise<{ bytes: Uint8Array; step: number }> {
  // Relative depth has any scale, so its steps are those of the frame.
  const step =
    depth.unit === 'relative'
      ? (depthExtent(depth.data)?.max ?? 1) / mostSteps || Number.MIN_VALUE
      : millimetre;
  const steps =
    step === millimetre
      ? toMillimetres(depth.data)
      : toMillimetres(depth.data.map((value) => (value / step) * millimetre));
  const bytes = await deflate(toResiduals(steps, depth), { level: 1 });
  return { bytes, step };
}
