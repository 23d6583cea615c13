import type { Rectangle, Size } from './size.ts';

/** Camera intrinsics in pixels of the frame they travel with (pinhole model). */
export interface Intrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/**
 * The part of the source's picture that a frame shows, in pixels of that picture. 0, 0 is its top left
 * corner, so the centre of its first pixel is at 0.5, 0.5. Edges may lie between pixels, and outside
 * the picture where a resize has added bars.
 */
export interface View extends Rectangle {
  /** Size of the source's picture. */
  readonly source: Size;
  /** Swapped since the source: left and right (horizontal), top and bottom (vertical), or both. */
  readonly flip?: FlipAxis;
  /** The part within the bars, where the source's picture goes on under them. */
  readonly shown?: Rectangle;
}

export const flipAxes = ['horizontal', 'vertical', 'both'] as const;
export type FlipAxis = (typeof flipAxes)[number];

/** Name and content hash of the model that estimated a depth frame. */
export interface ModelIdentity {
  readonly name: string;
  readonly sha256: string;
}

/** Depth of each pixel. */
export interface DepthMap {
  readonly width: number;
  readonly height: number;
  /** float32 metres, row-major, `height × width`; valid as `isValidDepth` says. */
  readonly data: Float32Array;
}

/**
 * Where a frame came from, for frames that were taken from a stream of another machine. Frames that are
 * derived from it keep it, so that what is computed goes by the publisher's own numbers, and the stream
 * can be told once that is safe.
 */
export interface Origin {
  /** Tells the frame from every other of every publisher: `run-seq`. */
  readonly id: string;
  /** Last part of the subject that it came on: the camera. */
  readonly camera: string;
  /** Number that its publisher gave it. */
  readonly seq: number;
  readonly pts: bigint;
  /** Frames that its publisher dropped before it. */
  readonly dropped: number;
}

/** What every frame carries, whatever its kind. */
export interface FrameBase {
  /** Assigned by the source; rises and is never reused. A gap means frames lost at capture. */
  readonly seq: number;
  /** Presentation time, nanoseconds; never decreases. */
  readonly pts: bigint;
  /** Wall clock at capture, nanoseconds since the Unix epoch. */
  readonly capturedAt: bigint;
  /** Name of the source, as in the pipeline file. */
  readonly source: string;
  /** Name of the camera, in a run of several. */
  readonly camera?: string;
  /** File that holds the frame and nothing else, relative to the folder that was read: `kitchen.jpg`. */
  readonly name?: string;
  /** Where it came from, if from a stream of another machine. */
  readonly origin?: Origin;
  /** Duration of each stage, milliseconds by stage name. */
  readonly timings?: Readonly<Record<string, number>>;
  readonly intrinsics?: Intrinsics;
  /** The part of the source's picture that the frame shows; default: all of it. */
  readonly view?: View;
  /** Ground truth, from sources that have it (synthetic-room). */
  readonly truth?: DepthMap;
}

/** uint8 picture, interleaved HWC, rows without padding. */
export interface ImageFrame extends FrameBase {
  readonly kind: 'image';
  readonly width: number;
  readonly height: number;
  readonly format: 'rgb' | 'rgba';
  /** `height × width × 3` (rgb) or `× 4` (rgba) bytes. */
  readonly data: Uint8Array;
}

/** A picture without a pipeline: uint8, interleaved, rows without padding. */
export type Picture = Pick<ImageFrame, 'width' | 'height' | 'format' | 'data'>;

/** What a value of depth means: metres, or farther and nearer only, at an unknown scale. */
export type DepthUnit = 'm' | 'relative';

/** Depth picture: float32 metres along the optical axis; valid where finite and above 0. */
export interface DepthFrame extends FrameBase, DepthMap {
  readonly kind: 'depth';
  /** Default: m. */
  readonly unit?: DepthUnit;
  /** The picture that the depth was estimated from, as it went into the network. */
  readonly image?: ImageFrame;
  /** The picture before it was cropped and scaled for the network, where that was asked for. */
  readonly picture?: ImageFrame;
  readonly model?: ModelIdentity;
  /** Smallest and largest depth that the model or sensor can output, metres. */
  readonly range?: readonly [number, number];
}

/** Point cloud in camera coordinates (x right, y down, z forward), metres. */
export interface PointsFrame extends FrameBase {
  readonly kind: 'points';
  readonly count: number;
  /** `count × 3` float32 metres, XYZ interleaved. */
  readonly data: Float32Array;
  /** `count × 3` uint8 RGB, if the depth frame had a picture. */
  readonly colors?: Uint8Array;
}

/**
 * Two pictures of one moment, by cameras side by side that look the same way. Intrinsics, view and truth
 * are those of the left picture.
 */
export interface StereoFrame extends FrameBase {
  readonly kind: 'stereo';
  /** Size of each picture, pixels. */
  readonly width: number;
  readonly height: number;
  readonly left: Picture;
  readonly right: Picture;
  /** Distance between the lenses, metres. */
  readonly baseline?: number;
  /** Horizontal principal point of the right camera minus that of the left, pixels; default: 0. */
  readonly offset?: number;
  /** A point lies in the same row of both pictures; default: false. */
  readonly rectified?: boolean;
}

/** A JSON value that an operator computed from a frame: detections, distances, alarms. */
export interface DataFrame extends FrameBase {
  readonly kind: 'data';
  readonly value: unknown;
}

/** What flows through a pipeline. A frame is never changed once it was emitted. */
export type Frame = ImageFrame | StereoFrame | DepthFrame | PointsFrame | DataFrame;
/** What a frame holds; it tells the types of frames apart. */
export type FrameKind = Frame['kind'];
export const frameKinds = [
  'image',
  'stereo',
  'depth',
  'points',
  'data',
] as const satisfies FrameKind[];

/** Frames that messages and recordings hold. */
export type MessageFrame = Exclude<Frame, StereoFrame>;
export type MessageKind = MessageFrame['kind'];
export const messageKinds = ['image', 'depth', 'points', 'data'] as const satisfies MessageKind[];

/** What a frame derived from `frame` inherits: identity, times, intrinsics, view and truth. */
export function derive(frame: Frame): FrameBase {
  const { seq, pts, capturedAt, source, camera, name, origin, timings, intrinsics, view, truth } =
    frame;
  return {
    seq,
    pts,
    capturedAt,
    source,
    ...(camera !== undefined && { camera }),
    ...(name !== undefined && { name }),
    ...(origin && { origin }),
    ...(timings && { timings }),
    ...(intrinsics && { intrinsics }),
    ...(view && { view }),
    ...(truth && { truth }),
  };
}

/** Largest int64, as most readers keep a time: nanoseconds until the year 2262. */
export const latestTime = 2n ** 63n - 1n;

/** What is wrong with a value that should be a frame; `undefined` if nothing is. */
export function frameProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return `${value === null ? 'null' : typeof value}, not a frame`;
  const f = value as Partial<ImageFrame & { kind: string }>;
  if (!frameKinds.includes(f.kind as FrameKind))
    return `an object whose kind is ${JSON.stringify(f.kind)}`;
  if (!Number.isSafeInteger(f.seq)) return `a frame without a whole-number seq`;
  if ((f.seq as number) < 0) return `a frame of seq ${f.seq}, which is below 0`;
  if (typeof f.pts !== 'bigint' || typeof f.capturedAt !== 'bigint')
    return `a frame whose pts or capturedAt is not a bigint (nanoseconds)`;
  if (f.pts < 0n || f.pts > latestTime)
    return `a frame of pts ${f.pts}, which is not between 0 and ${latestTime} nanoseconds`;
  if (f.kind === 'image') {
    if (!(f.data instanceof Uint8Array)) return 'an image frame whose data is not a Uint8Array';
    const size = (f.width ?? 0) * (f.height ?? 0) * (f.format === 'rgba' ? 4 : 3);
    if (f.data.length !== size || size === 0)
      return `an image frame of ${f.width}×${f.height} ${f.format} with ${f.data.length} bytes instead of ${size}`;
  }
  if ((f.kind as string) === 'stereo') return stereoProblem(value as Partial<StereoFrame>);
  if ((f.kind as string) === 'depth') {
    const data = f.data as unknown;
    if (!(data instanceof Float32Array)) return 'a depth frame whose data is not a Float32Array';
    const size = (f.width ?? 0) * (f.height ?? 0);
    if (data.length !== size || size === 0)
      return `a depth frame of ${f.width}×${f.height} with ${data.length} values instead of ${size}`;
  }
  return undefined;
}

function stereoProblem({ width = 0, height = 0, left, right }: Partial<StereoFrame>) {
  for (const [side, picture] of [
    ['left', left],
    ['right', right],
  ] as const) {
    if (!(picture?.data instanceof Uint8Array))
      return `a stereo frame whose ${side} picture is not a Uint8Array`;
    const channels = picture.format === 'rgba' ? 4 : 3;
    const fits = picture.width === width && picture.height === height;
    if (!fits || width * height === 0 || picture.data.length !== width * height * channels)
      return `a stereo frame of ${width}×${height} whose ${side} picture is ${picture.width}×${picture.height} with ${picture.data.length} bytes`;
  }
  return undefined;
}
