import type { Manifest } from '../manifest.ts';
import { isPlainInput, prepareInput } from '../tensors.ts';

type Input = Manifest['input'];
type Elements = Uint8Array | Uint16Array | Float32Array;

/** Dimensions of the model's input. */
export function inputShape({ layout, width, height }: Input): readonly number[] {
  return layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
}

/**
 * What makes the model's input of a picture, as its manifest says: the picture itself where that is the input,
 * else memory that the next call uses again. float16 are given as their bits.
 */
export function inputMaker(input: Input): (rgb: Uint8Array) => Elements {
  if (isPlainInput(input)) return (rgb) => rgb;
  const prepared = room(input);
  return (rgb) => {
    prepareInput(rgb, input, prepared);
    return prepared;
  };
}

function room({ dtype, width, height }: Input): Elements {
  const elements = width * height * 3;
  if (dtype === 'uint8') return new Uint8Array(elements);
  return dtype === 'float16' ? new Uint16Array(elements) : new Float32Array(elements);
}
