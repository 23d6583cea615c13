import { fromFloat16 } from '../../float16.ts';
import type { Manifest } from '../../manifest.ts';
import { inputShape } from '../input-tensor.ts';
import { BadAnswer } from './failures.ts';

/** What a server says of a tensor of its model; -1 is a size that may vary. */
export interface TensorInfo {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** What a server says of its model. */
export interface ServerModel {
  /** What runs it there, or ''. */
  readonly platform: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** How the protocol names types of elements. */
const datatypes = { uint8: 'UINT8', float16: 'FP16', float32: 'FP32' } as const;

/** The model's input, as the protocol describes it. */
export function inputInfo({ input }: Manifest): TensorInfo {
  return { name: input.name, datatype: datatypes[input.dtype], shape: inputShape(input) };
}

/** How the model of a server differs from the one that the manifest describes; or nothing. */
export function modelProblem(
  { inputs, outputs }: ServerModel,
  manifest: Manifest,
): string | undefined {
  const names = (all: readonly TensorInfo[]) => all.map(({ name }) => `"${name}"`).join(', ');
  const wanted = inputInfo(manifest);
  const taken = inputs.find(({ name }) => name === wanted.name);
  if (!taken) return `it has no input "${wanted.name}", but ${names(inputs)}`;
  if (inputs.length > 1) return `it has ${inputs.length} inputs: ${names(inputs)}`;
  if (taken.datatype !== wanted.datatype || !fits(taken.shape, wanted.shape)) {
    return `its input "${taken.name}" is ${infoText(taken)}, and the manifest says ${infoText(wanted)}`;
  }
  const { output } = manifest;
  const given = outputs.find(({ name }) => name === output.name);
  if (!given) return `it has no output "${output.name}", but ${names(outputs)}`;
  const large = given.shape.filter((size) => size !== 1);
  const varies = given.shape.includes(-1);
  if (isFloat(given.datatype) && (varies || large.length === 2)) return undefined;
  return `its output "${output.name}" is ${infoText(given)}, and must be one FP32 or FP16 picture`;
}

/** The network's output for one picture. */
export interface DepthAnswer {
  readonly width: number;
  readonly height: number;
  /** Copies the values, `height × width`. */
  copyTo(depth: Float32Array): void;
}

/**
 * The depth in an answer.
 *
 * @param binary the bytes of the tensor; undefined if it came as numbers
 * @param numbers of the tensor
 * @throws BadAnswer
 */
export function depthAnswer(
  info: TensorInfo,
  binary: Uint8Array | undefined,
  numbers: unknown,
): DepthAnswer {
  const [height, width, ...others] = info.shape.filter((size) => size !== 1);
  const whole = info.shape.every((size) => Number.isInteger(size) && size > 0);
  if (!isFloat(info.datatype) || !whole || !height || !width || others.length > 0) {
    throw new BadAnswer(`gave ${infoText(info)} instead of one FP32 or FP16 picture`);
  }
  const count = width * height;
  if (binary === undefined) return { width, height, copyTo: fromNumbers(numbers, count) };
  const expected = count * (info.datatype === 'FP16' ? 2 : 4);
  if (binary.length !== expected) {
    throw new BadAnswer(`gave ${binary.length} bytes of depth instead of ${expected}`);
  }
  return {
    ...{ width, height },
    copyTo(depth) {
      if (info.datatype === 'FP32')
        new Uint8Array(depth.buffer, depth.byteOffset, expected).set(binary);
      // A copy: 16-bit numbers begin at even addresses.
      else fromFloat16(new Uint16Array(new Uint8Array(binary).buffer), depth);
    },
  };
}

function fromNumbers(data: unknown, count: number): (depth: Float32Array) => void {
  const numbers: unknown[] = Array.isArray(data) ? data.flat(8) : [];
  if (numbers.length !== count || !numbers.every((value) => typeof value === 'number')) {
    throw new BadAnswer(`gave ${numbers.length} numbers of depth instead of ${count}`);
  }
  return (depth) => depth.set(numbers as number[]);
}

function isFloat(datatype: string): boolean {
  return datatype === 'FP32' || datatype === 'FP16';
}

function fits(shape: readonly number[], wanted: readonly number[]): boolean {
  return (
    shape.length === wanted.length && shape.every((size, at) => size === -1 || size === wanted[at])
  );
}

function infoText({ datatype, shape }: TensorInfo): string {
  return `${datatype} [${shape.join(', ')}]`;
}
