import type { FrameFacts } from '../core/component-facts.ts';
import type { DepthFrame, DepthMap, Frame, FrameKind, ImageFrame } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import type { ValueProblem } from '../core/option-problems.ts';
import { encodeNpy } from '../depth/npy.ts';
import { encodePly } from '../depth/ply.ts';
import { metricProblems, relativeRefusal } from '../depth/relative.ts';
import type * as encoders from '../imaging/encode.ts';
import type { FilePart } from './file-part.ts';
import { stereoFiles, stereoFolders } from './stereo-files.ts';

export const fileFormats = ['png16', 'npy', 'png', 'jpeg', 'ply', 'json'] as const;
export type FileFormat = (typeof fileFormats)[number];

/** Endings of file names. */
export const endings: Readonly<Record<FileFormat, string>> = {
  png16: 'png',
  npy: 'npy',
  png: 'png',
  jpeg: 'jpg',
  ply: 'ply',
  json: 'json',
};

export const fileLayouts = ['flat', 'rgbd', 'stereo'] as const;

export interface FileOptions {
  readonly format: FileFormat;
  readonly layout: (typeof fileLayouts)[number];
  /** JPEG quality, 1 to 100. */
  readonly quality: number;
}

/** Subfolders that a layout writes to. */
export const layoutFolders = {
  flat: [],
  rgbd: ['rgb', 'depth'],
  stereo: stereoFolders,
} as const;

/** The files that a frame is written to. */
export class FrameFiles {
  readonly #options: FileOptions;
  readonly #encoders: typeof encoders;

  constructor(options: FileOptions, loaded: typeof encoders) {
    this.#options = options;
    this.#encoders = loaded;
  }

  /**
   * @param stem file name without its ending
   * @throws FrameRefused if the format or layout cannot hold such a frame
   */
  of(frame: Frame, stem: string): FilePart[] {
    const { layout } = this.#options;
    if (layout === 'rgbd') return this.#rgbd(frame, stem);
    if (layout === 'flat') return [this.#flat(frame, stem)];
    if (frame.kind === 'stereo') return stereoFiles(frame, stem, this.#options, this.#encoders);
    throw new FrameRefused(pairsOnly(frame.kind));
  }

  #rgbd(frame: Frame, stem: string): FilePart[] {
    if (frame.kind === 'depth') requireMillimetres(frame, rgbdMillimetres);
    const { image, depth } = rgbdOf(frame);
    const { format, quality } = this.#options;
    const { encodeDepthPng, encodeJpeg, encodePng } = this.#encoders;
    const picture: FilePart =
      format === 'jpeg'
        ? { name: `rgb/${stem}.${endings.jpeg}`, encode: () => encodeJpeg(image, quality) }
        : { name: `rgb/${stem}.${endings.png}`, encode: () => encodePng(image) };
    return [
      picture,
      { name: `depth/${stem}.${endings.png16}`, encode: () => encodeDepthPng(depth) },
    ];
  }

  #flat(frame: Frame, stem: string): FilePart {
    const { format, quality } = this.#options;
    const name = `${stem}.${endings[format]}`;
    const { encodeDepthPng, encodeJpeg, encodePng } = this.#encoders;
    if (format === 'npy' && frame.kind !== 'data' && frame.kind !== 'stereo')
      return { name, encode: () => encodeNpy(frame.data, shapeOf(frame)) };
    if (format === 'png16' && frame.kind === 'depth') {
      requireMillimetres(frame, png16Millimetres);
      return { name, encode: () => encodeDepthPng(frame) };
    }
    if (format === 'png' && frame.kind === 'image') return { name, encode: () => encodePng(frame) };
    if (format === 'jpeg' && frame.kind === 'image')
      return { name, encode: () => encodeJpeg(frame, quality) };
    if (format === 'ply' && frame.kind === 'points')
      return { name, encode: () => encodePly(frame) };
    if (format === 'json' && frame.kind === 'data')
      return { name, encode: () => encodeJson(frame.value) };
    throw new FrameRefused(misfit(format, frame.kind));
  }
}

/** Formats that hold each kind of frame. */
const holds: Readonly<Record<FrameKind, readonly FileFormat[]>> = {
  depth: ['png16', 'npy'],
  image: ['png', 'jpeg', 'npy'],
  stereo: [],
  points: ['ply', 'npy'],
  data: ['json'],
};

/** What is wrong with a format or layout for the frames that arrive, as far as they are known. */
export function fileProblem(
  { format, layout }: Pick<FileOptions, 'format' | 'layout'>,
  arriving: FrameFacts,
): ValueProblem | undefined {
  const { kinds = [] } = arriving;
  if (layout === 'rgbd') {
    const kind = kinds.find((one) => one !== 'depth' && one !== 'image');
    if (kind === undefined) return metricProblems(arriving, 'layout', ...rgbdMillimetres)[0];
    return { path: ['layout'], message: `rgbd cannot hold ${kind} frames; use "layout: flat"` };
  }
  if (layout === 'stereo') {
    const kind = kinds.find((one) => one !== 'stereo');
    return kind && { path: ['layout'], message: pairsOnly(kind) };
  }
  const kind = kinds.find((one) => !holds[one].includes(format));
  if (kind !== undefined) return { path: ['format'], message: misfit(format, kind) };
  return format === 'png16'
    ? metricProblems(arriving, 'format', ...png16Millimetres)[0]
    : undefined;
}

const png16Millimetres = ['png16 is in millimetres', 'use npy'] as const;
const rgbdMillimetres = ['rgbd is in millimetres', 'use "layout: flat" with npy'] as const;

function requireMillimetres({ unit }: DepthFrame, [why, instead]: readonly [string, string]): void {
  if (unit === 'relative') throw new FrameRefused(relativeRefusal(why, instead));
}

const pairsOnly = (kind: FrameKind) =>
  `stereo holds pairs of pictures, not ${kind} frames; use "layout: flat"`;

function misfit(format: FileFormat, kind: FrameKind): string {
  return `format ${format} cannot hold ${kind} frames; use ${fitting[kind]}`;
}

const fitting: Readonly<Record<FrameKind, string>> = {
  depth: 'png16 or npy, or put colorize before it',
  image: 'png, jpeg or npy',
  stereo: '"layout: stereo"',
  points: 'ply or npy',
  data: 'json',
};

function shapeOf(frame: Exclude<Frame, { kind: 'data' | 'stereo' }>): number[] {
  if (frame.kind === 'points') return [frame.count, 3];
  if (frame.kind === 'depth') return [frame.height, frame.width];
  return [frame.height, frame.width, frame.format === 'rgba' ? 4 : 3];
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function rgbdOf(frame: Frame): { image: ImageFrame; depth: DepthMap } {
  if (frame.kind === 'image' && frame.truth) return { image: frame, depth: frame.truth };
  if (frame.kind === 'depth' && frame.image) return { image: frame.image, depth: frame };
  const lacks = frame.kind === 'depth' ? 'no picture' : 'no depth';
  throw new FrameRefused(
    `layout rgbd needs a picture and its depth, but the ${frame.kind} frame ${frame.seq} has ${lacks}; use a source with ground truth, a depth frame with its picture, or "layout: flat"`,
  );
}
