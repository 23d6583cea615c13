/**
 * IEEE 754 half precision (binary16) as bits in a Uint16Array: Node.js has no Float16Array before
 * version 24.
 */

/**
 * Makes onnxruntime-node use Uint16Array in this thread; call it before the first tensor is made. Where
 * there is a Float16Array it makes float16 tensors of that, and its native part cannot read them ("not
 * enough space").
 */
export function hideFloat16Array(): void {
  Reflect.deleteProperty(globalThis, 'Float16Array');
}

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** Bits of the half nearest to a number, ties to even; too large becomes infinite. */
export function float16Bits(value: number): number {
  float[0] = value;
  const bits = floatBits[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65520 on, the nearest half is infinite.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 a half is a multiple of 2^-24.
  if (magnitude < 0x38800000) return sign | nearestEven(Math.abs(float[0] as number) * 2 ** 24);
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
}

let values: Float32Array | undefined;

/** Fills `out` with the numbers that halves stand for. */
export function fromFloat16(halves: Uint16Array, out: Float32Array): void {
  // There are 65,536 of them: a table, made when the first model needs it.
  values ??= Float32Array.from({ length: 0x10000 }, (_, bits) => float16Value(bits));
  for (let i = 0; i < halves.length; i++) out[i] = values[halves[i] as number] as number;
}

function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
