/**
 * True if `metres` is a depth: finite and above zero. Everything else (0, NaN, negative, infinite)
 * says that the pixel was not measured, and is written as 0 where a single invalid value is needed.
 */
export function isValidDepth(metres: number): boolean {
  // NaN fails both comparisons.
  return metres > 0 && metres < Number.POSITIVE_INFINITY;
}

const infinityBits = 0x7f800000;

/** The same rule for a float32 whose bits are read as int32: positive floats keep their order. */
export function isValidDepthBits(bits: number): boolean {
  return bits > 0 && bits < infinityBits;
}
