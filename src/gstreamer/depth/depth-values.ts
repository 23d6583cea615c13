import { type DepthCaps, valueBytes } from './depth-caps.ts';

export interface Conversion {
  readonly values: 'depth' | 'disparity';
  /** Depth is `scale × value`, or `scale / value` of a disparity. */
  readonly scale: number;
}

type Values = Uint8Array | Uint16Array | Float32Array;

/**
 * The values of a frame as float32 depth. What is not valid stays so: 0, NaN, negative and infinite values.
 * float32 depth in metres is taken as it is, without a copy where the memory allows it.
 */
export function depthValues(
  bytes: Uint8Array,
  caps: Pick<DepthCaps, 'type' | 'offset' | 'width' | 'height'>,
  { values, scale }: Conversion,
): Float32Array {
  const stored = storedValues(bytes, caps);
  if (values === 'disparity') return inverse(stored, scale);
  if (stored instanceof Float32Array && scale === 1) return stored;
  return scaled(stored, scale);
}

function storedValues(
  bytes: Uint8Array,
  { type, offset, width, height }: Pick<DepthCaps, 'type' | 'offset' | 'width' | 'height'>,
): Values {
  const count = width * height;
  const size = valueBytes[type];
  const part = bytes.subarray(offset, offset + count * size);
  if (size === 1) return part;
  // Typed arrays start at a multiple of their element's size.
  const { buffer, byteOffset } = part.byteOffset % size === 0 ? part : part.slice();
  if (type === 'float32') return new Float32Array(buffer, byteOffset, count);
  if (type === 'uint16be') Buffer.from(buffer, byteOffset, count * size).swap16();
  return new Uint16Array(buffer, byteOffset, count);
}

function scaled(stored: Values, scale: number): Float32Array {
  const metres = new Float32Array(stored.length);
  // Millimetres divided by 1000, as from files: 0.001 itself is not exact.
  const stepsPerMetre = 1 / scale;
  for (let i = 0; i < metres.length; i++) metres[i] = (stored[i] as number) / stepsPerMetre;
  return metres;
}

function inverse(disparity: Values, scale: number): Float32Array {
  const metres = new Float32Array(disparity.length);
  for (let i = 0; i < metres.length; i++) {
    const steps = disparity[i] as number;
    // 0 says that nothing was matched, not that it is infinitely far.
    metres[i] = steps > 0 ? scale / steps : 0;
  }
  return metres;
}
