import type { IncomingHttpHeaders } from 'node:http';
import { mask } from '../../../core/secrets.ts';
import type { Manifest } from '../../manifest.ts';
import { BadAnswer } from './failures.ts';
import {
  type DepthAnswer,
  depthAnswer,
  inputInfo,
  type ServerModel,
  type TensorInfo,
} from './tensors.ts';

/**
 * Messages of the Open Inference Protocol (KServe v2) over HTTP, with the binary tensor extension: JSON first,
 * then the bytes of the tensors. https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
 */

/** Says how many bytes of a body are JSON. */
export const jsonLengthHeader = 'inference-header-content-length';

/** @throws BadAnswer */
export function parseModel(body: Buffer): ServerModel {
  const model = record(parseJson(body), 'the description of the model');
  return {
    platform: typeof model.platform === 'string' ? model.platform : '',
    inputs: list(model.inputs, 'inputs').map(tensorInfo),
    outputs: list(model.outputs, 'outputs').map(tensorInfo),
  };
}

/** The JSON in front of each picture. */
export function requestHead(manifest: Manifest, bytes: number): Buffer {
  const input = { ...inputInfo(manifest), parameters: { binary_data_size: bytes } };
  const output = { name: manifest.output.name, parameters: { binary_data: true } };
  return Buffer.from(JSON.stringify({ inputs: [input], outputs: [output] }));
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

/** What a server says of a failure. */
export function errorText(body: Buffer): string {
  try {
    const { error } = record(parseJson(body), 'the answer');
    // Masked before it is cut: half a secret would not be recognised.
    if (typeof error === 'string') return mask(error).slice(0, 300);
  } catch {
    // Not of this protocol: a proxy's page.
  }
  return mask(body.toString('utf8')).slice(0, 100).trim() || 'without a reason';
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
