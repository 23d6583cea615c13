import type { Manifest } from '../manifest.ts';
import { isPlainInput, prepareInput } from '../tensors.ts';

type Input = Manifest['input'];
type Elements = Uint8Array | Uint16Array | Float32Array;

/** Dimensions of the model's input for so many pictures. */
export function inputShape({ layout, width, height }: Input, pictures = 1): readonly number[] {
  return layout === 'NHWC' ? [pictures, height, width, 3] : [pictures, 3, height, width];
}

/**
 * What makes the model's input of a picture, or of several, one behind the other, as its manifest says: the
 * pictures themselves where they are the input, else memory that the next call uses again. float16 are given as
 * their bits.
 *
 * @param most pictures
 */
export function inputMaker(input: Input, most = 1): (rgb: Uint8Array) => Elements {
  if (isPlainInput(input)) return (rgb) => rgb;
  const length = input.width * input.height * 3;
  const prepared = room(input.dtype, most * length);
  return (rgb) => {
    for (let at = 0; at < rgb.length; at += length)
      prepareInput(rgb.subarray(at, at + length), input, prepared.subarray(at, at + length));
    return rgb.length === prepared.length ? prepared : prepared.subarray(0, rgb.length);
  };
}

function room(dtype: Input['dtype'], elements: number): Elements {
  if (dtype === 'uint8') return new Uint8Array(elements);
  return dtype === 'float16' ? new Uint16Array(elements) : new Float32Array(elements);
}
