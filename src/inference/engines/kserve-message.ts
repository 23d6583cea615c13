import type { IncomingHttpHeaders } from 'node:http';
import { fromFloat16 } from '../float16.ts';
import type { Manifest } from '../manifest.ts';
import { inputShape } from './input-tensor.ts';

/**
 * Messages of the Open Inference Protocol (KServe v2) over HTTP, with the binary tensor extension: JSON first,
 * then the bytes of the tensors. https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
 */

/** Says how many bytes of a body are JSON. */
export const jsonLengthHeader = 'inference-header-content-length';

/** What a server says of a tensor of its model; -1 is a size that may vary. */
interface TensorInfo {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** What a server says of its model. */
export interface ServerModel {
  readonly name: string;
  readonly platform: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** What a server has sent cannot be an answer. */
export class BadAnswer extends Error {}

const datatypes = { uint8: 'UINT8', float16: 'FP16', float32: 'FP32' } as const;

/** @throws BadAnswer */
export function parseModel(body: Buffer): ServerModel {
  const model = record(parseJson(body), 'the description of the model');
  return {
    name: typeof model.name === 'string' ? model.name : '',
    platform: typeof model.platform === 'string' ? model.platform : '',
    inputs: list(model.inputs, 'inputs').map(tensorInfo),
    outputs: list(model.outputs, 'outputs').map(tensorInfo),
  };
}

/** How the model of a server differs from the one that the manifest describes; or nothing. */
export function modelProblem(
  { inputs, outputs }: ServerModel,
  { input, output }: Manifest,
): string | undefined {
  const names = (all: readonly TensorInfo[]) => all.map(({ name }) => `"${name}"`).join(', ');
  const taken = inputs.find(({ name }) => name === input.name);
  if (!taken) return `it has no input "${input.name}", but ${names(inputs)}`;
  if (inputs.length > 1) return `it has ${inputs.length} inputs: ${names(inputs)}`;
  const datatype = datatypes[input.dtype];
  const shape = inputShape(input);
  if (taken.datatype !== datatype || !fits(taken.shape, shape)) {
    return `its input "${input.name}" is ${infoText(taken)}, and the manifest says ${datatype} [${shape.join(', ')}]`;
  }
  const given = outputs.find(({ name }) => name === output.name);
  if (!given) return `it has no output "${output.name}", but ${names(outputs)}`;
  const large = given.shape.filter((size) => size !== 1);
  const varies = given.shape.includes(-1);
  if (isFloat(given.datatype) && (varies || large.length === 2)) return undefined;
  return `its output "${output.name}" is ${infoText(given)}, and must be one FP32 or FP16 picture`;
}

/** The JSON in front of each picture. */
export function requestHead({ input, output }: Manifest, bytes: number): Buffer {
  const { name, dtype } = input;
  const tensor = { name, shape: inputShape(input), datatype: datatypes[dtype] };
  return Buffer.from(
    JSON.stringify({
      inputs: [{ ...tensor, parameters: { binary_data_size: bytes } }],
      outputs: [{ name: output.name, parameters: { binary_data: true } }],
    }),
  );
}

export interface DepthAnswer {
  readonly width: number;
  readonly height: number;
  /** Copies the values, `height × width`. */
  copyTo(depth: Float32Array): void;
}

/**
 * Reads the answer to a picture. A server without the binary extension answers with numbers in JSON.
 *
 * @throws BadAnswer
 */
export function parseDepth(
  body: Buffer,
  headers: IncomingHttpHeaders,
  { output }: Manifest,
): DepthAnswer {
  const stated = headers[jsonLengthHeader];
  const length = stated === undefined ? body.length : Number(stated);
  if (!Number.isInteger(length) || length < 0 || length > body.length) {
    throw new BadAnswer(`says that ${stated} of its ${body.length} bytes are JSON`);
  }
  const answer = record(parseJson(body.subarray(0, length)), 'the answer');
  let offset = length;
  for (const one of list(answer.outputs, 'outputs')) {
    const tensor = record(one, 'an output');
    const parameters =
      tensor.parameters === undefined ? {} : record(tensor.parameters, 'parameters');
    const size = parameters.binary_data_size;
    if (tensor.name === output.name) {
      const binary = size === undefined ? undefined : part(body, offset, size);
      return depthAnswer(tensorInfo(tensor), binary, tensor.data);
    }
    if (typeof size === 'number') offset += size;
  }
  throw new BadAnswer(`has no output "${output.name}"`);
}

function depthAnswer(info: TensorInfo, binary: Buffer | undefined, data: unknown): DepthAnswer {
  const [height, width, ...others] = info.shape.filter((size) => size !== 1);
  const whole = info.shape.every((size) => Number.isInteger(size) && size > 0);
  if (!isFloat(info.datatype) || !whole || !height || !width || others.length > 0) {
    throw new BadAnswer(`gave ${infoText(info)} instead of one FP32 or FP16 picture`);
  }
  const count = width * height;
  if (binary === undefined) return { width, height, copyTo: fromNumbers(data, count) };
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

/** What a server says of a failure. */
export function errorText(body: Buffer): string {
  try {
    const { error } = record(parseJson(body), 'the answer');
    if (typeof error === 'string') return error.slice(0, 300);
  } catch {
    // Not of this protocol: a proxy's page.
  }
  return body.toString('utf8').slice(0, 100).trim() || 'without a reason';
}

function isFloat(datatype: string): boolean {
  return datatype === 'FP32' || datatype === 'FP16';
}

function fits(shape: readonly number[], wanted: readonly number[]): boolean {
  return (
    shape.length === wanted.length &&
    shape.every((size, at) => Number(size) === -1 || size === wanted[at])
  );
}

function infoText({ datatype, shape }: TensorInfo): string {
  return `${datatype} [${shape.join(', ')}]`;
}

function tensorInfo(value: unknown): TensorInfo {
  const { name, datatype, shape } = record(value, 'a tensor');
  if (typeof name !== 'string' || typeof datatype !== 'string') {
    throw new BadAnswer('describes a tensor without a name and a datatype');
  }
  // Some servers write sizes as strings.
  return { name, datatype, shape: list(shape, 'shape').map(Number) };
}

function part(body: Buffer, offset: number, size: unknown): Buffer {
  const bytes = typeof size === 'number' ? body.subarray(offset, offset + size) : undefined;
  if (bytes && bytes.length === size) return bytes;
  throw new BadAnswer(
    `says that its depth has ${String(size)} bytes, and sent ${body.length - offset}`,
  );
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new BadAnswer('is not JSON');
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new BadAnswer(`${what} is not an object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new BadAnswer(`has no list of ${what}`);
}
