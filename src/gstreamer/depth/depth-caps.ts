import type { VideoCaps } from '../../core/capture-stream.ts';
import { RefusedCaps } from '../../stream/form.ts';
import { capsField, capsInterval, parseVideoCaps } from '../../stream/gdp.ts';

/** How a value of depth or disparity is stored; multi-byte values are little-endian but for `uint16be`. */
export type ValueType = 'uint8' | 'uint16' | 'uint16be' | 'float32';

export const valueBytes: Readonly<Record<ValueType, number>> = {
  uint8: 1,
  uint16: 2,
  uint16be: 2,
  float32: 4,
};

/** Caps of frames of depth: grey pictures of GStreamer, or tensors of nnstreamer. */
export interface DepthCaps extends VideoCaps {
  readonly type: ValueType;
  /** Where the values begin, bytes from the start of a frame. */
  readonly offset: number;
  /** Where a picture of the same size begins in the same frame: RGB, uint8. */
  readonly picture?: number;
  /** Bytes of a frame of tensors, whose rows have no padding. */
  readonly length?: number;
}

/** What the launch line must end in. nnstreamer before 2.0 does not state the format of tensors. */
export const depthFilter =
  'video/x-raw,format=(string){ GRAY16_LE, GRAY16_BE, GRAY8 };other/tensors;other/tensor';

const greyTypes: Readonly<Record<string, ValueType>> = {
  GRAY16_LE: 'uint16',
  GRAY16_BE: 'uint16be',
  GRAY8: 'uint8',
};

/**
 * Reads the caps of a launch line of depth.
 *
 * @throws RefusedCaps if they hold no depth that can be read; GdpError if they are damaged
 */
export function parseDepthCaps(text: string): DepthCaps {
  if (/^other\/tensors?\b/.test(text)) return tensorCaps(text);
  const caps = parseVideoCaps(text);
  const type = greyTypes[caps.format];
  if (!type) throw new RefusedCaps(`it gives pictures in ${caps.format}, which are not depth`);
  return { ...caps, type, offset: 0 };
}

interface Tensor {
  readonly type: string;
  /** Sizes, the innermost first, as nnstreamer states them. */
  readonly sizes: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

const tensorBytes: Readonly<Record<string, number>> = {
  ...{ int8: 1, uint8: 1, int16: 2, uint16: 2, float16: 2, int32: 4, uint32: 4, float32: 4 },
  ...{ int64: 8, uint64: 8, float64: 8 },
};

/** The values are in the one tensor with two sizes above 1; a picture may stand beside it. */
function tensorCaps(text: string): DepthCaps {
  const all = tensorsOf(text);
  const found = all.flatMap((tensor) => mapOf(tensor) ?? []);
  const [map] = found;
  if (!map || found.length > 1) {
    const count = found.length === 0 ? 'none' : `${found.length}`;
    throw new RefusedCaps(
      `it gives tensors ${all.map(nameOf).join(' and ')}, of which ${count} can be depth; it must be one, ` +
        'uint8, uint16 or float32, with a width and a height',
    );
  }
  const { width, height, type, offset } = map;
  const picture = all.find((tensor) => isPicture(tensor, width, height));
  const unused = all.find((tensor) => tensor !== map.tensor && tensor !== picture);
  if (unused) {
    throw new RefusedCaps(
      `it gives a tensor ${nameOf(unused)} beside depth of ${width}×${height}; only a picture may stand there, uint8 3:${width}:${height}`,
    );
  }
  return {
    format: all.map(nameOf).join(' and '),
    ...{ width, height, interval: capsInterval(text), type, offset },
    ...(picture && { picture: picture.offset }),
    length: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function tensorsOf(text: string): Tensor[] {
  const format = capsField(text, 'format') ?? 'static';
  if (format !== 'static') {
    throw new RefusedCaps(`it gives ${format} tensors, whose sizes are not known: use static ones`);
  }
  const list = (...names: string[]) =>
    names.flatMap((name) => capsField(text, name)?.split(/\s*[.,]\s*/) ?? []);
  const types = list('types', 'type');
  const dimensions = list('dimensions', 'dimension');
  if (types.length === 0 || types.length !== dimensions.length) {
    throw new RefusedCaps(`it gives tensors without types and dimensions: ${text.slice(0, 200)}`);
  }
  let offset = 0;
  return types.map((type, index) => {
    const sizes = (dimensions[index] as string).split(':').map(Number);
    const bytes = sizes.reduce((product, size) => product * size, tensorBytes[type] ?? 0);
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new RefusedCaps(
        `it gives a tensor ${type} ${dimensions[index]}, whose size is not known`,
      );
    }
    const tensor = { type, sizes, offset, bytes };
    offset += bytes;
    return tensor;
  });
}

function mapOf(tensor: Tensor) {
  const { type, sizes, offset } = tensor;
  if (type !== 'uint8' && type !== 'uint16' && type !== 'float32') return undefined;
  const [width, height, ...more] = withoutOnes(sizes);
  if (width === undefined || height === undefined || more.length > 0) return undefined;
  return { tensor, type, width, height, offset } as const;
}

/** Leading ones are channels, trailing ones the batch: 1:224:224:1 and 224:224:1:1 are one size. */
function withoutOnes(sizes: readonly number[]): readonly number[] {
  const start = sizes.findIndex((size) => size !== 1);
  if (start < 0) return [];
  return sizes.slice(start, sizes.findLastIndex((size) => size !== 1) + 1);
}

function isPicture({ type, sizes }: Tensor, width: number, height: number): boolean {
  const [channels, across, down, ...rest] = sizes;
  if (type !== 'uint8' || channels !== 3) return false;
  return across === width && down === height && rest.every((size) => size === 1);
}

function nameOf({ type, sizes }: Tensor): string {
  return `${type} ${sizes.join(':')}`;
}
