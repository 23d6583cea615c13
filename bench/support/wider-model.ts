/**
 * An ONNX model for pictures of another width: the widths of its input and of its output are replaced in the file.
 * Works for convolutional networks that enlarge by factors, as FastDepth does, and where both widths are from 128 to
 * 16383, so that they take the same number of bytes.
 */
export function widerModel(
  model: Buffer,
  { width, height }: { readonly width: number; readonly height: number },
  wanted: number,
): Buffer {
  const changed = Buffer.from(model);
  for (const [before, after] of [
    [
      [1, height, width, 3],
      [1, height, wanted, 3],
    ],
    [
      [1, 1, height, width],
      [1, 1, height, wanted],
    ],
  ] as const) {
    const at = changed.indexOf(shape(before));
    if (at < 0) throw new Error(`the model has no tensor of ${before.join('×')}`);
    shape(after).copy(changed, at);
  }
  return changed;
}

/** As a TensorShapeProto of onnx.proto has it: field 1 of each dimension, as field 1. */
function shape(sizes: readonly number[]): Buffer {
  return Buffer.concat(
    sizes.map((size) => {
      const value = size < 128 ? [size] : [(size & 127) | 128, size >> 7];
      return Buffer.from([0x0a, value.length + 1, 0x08, ...value]);
    }),
  );
}
