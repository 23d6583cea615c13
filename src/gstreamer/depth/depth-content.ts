import type { RawFrame, VideoCaps } from '../../core/capture-stream.ts';
import type { DepthFrame, DepthUnit, FrameBase, ImageFrame } from '../../core/frame.ts';
import { RefusedCaps, type StreamForm } from '../../stream/form.ts';
import type { Content } from '../capture/capture.ts';
import { type DepthCaps, parseDepthCaps, valueBytes } from './depth-caps.ts';
import { type Conversion, depthValues } from './depth-values.ts';

/** How the values of a launch line become depth. */
export interface DepthReading {
  readonly values: 'depth' | 'disparity';
  /** Metres of a step of depth, or metres × steps of disparity; default: by the type of the values. */
  readonly scale?: number | undefined;
  readonly unit: DepthUnit;
}

/** Frames of depth, in place of pictures, out of a launch line. */
export function depthContent(reading: DepthReading): Content {
  const conversionOf = (caps: DepthCaps): Conversion => ({
    values: reading.values,
    scale: reading.scale ?? usualScale(caps, reading),
  });
  const form: StreamForm = {
    what: 'frame of depth',
    parse(text) {
      const caps = parseDepthCaps(text);
      conversionOf(caps);
      return caps;
    },
    rows: (caps) => rowsOf(caps as DepthCaps),
  };
  return {
    form,
    frame(raw, base) {
      const caps = raw.caps as DepthCaps;
      const data = depthValues(raw.data, caps, conversionOf(caps));
      return depthFrame(raw, base, data, reading.unit);
    },
  };
}

/** Whole numbers are millimetres, float32 is metres, unless it is said otherwise. */
function usualScale({ type }: DepthCaps, { values, unit }: DepthReading): number {
  if (unit === 'relative' || (type === 'float32' && values === 'depth')) return 1;
  if (type === 'uint8') {
    throw new RefusedCaps('it gives 8-bit values, which are no depth in millimetres: set "scale"');
  }
  return 0.001;
}

function rowsOf({ type, width, height, length }: DepthCaps) {
  if (length !== undefined) return { bytes: length, stride: length, count: 1 };
  const bytes = width * valueBytes[type];
  // GStreamer pads the rows of its pictures to a multiple of 4 bytes.
  return { bytes, stride: (bytes + 3) & ~3, count: height };
}

function depthFrame(
  raw: RawFrame,
  base: FrameBase,
  data: Float32Array,
  unit: DepthUnit,
): DepthFrame {
  const { width, height } = raw.caps;
  const image = pictureOf(raw.data, raw.caps, base);
  return {
    ...base,
    kind: 'depth',
    ...{ width, height, data },
    ...(unit === 'relative' && { unit }),
    ...(image && { image }),
  };
}

function pictureOf(data: Uint8Array, caps: VideoCaps, base: FrameBase): ImageFrame | undefined {
  const { width, height, picture } = caps as DepthCaps;
  if (picture === undefined) return undefined;
  const pixels = data.subarray(picture, picture + width * height * 3);
  return { ...base, kind: 'image', width, height, format: 'rgb', data: pixels };
}
