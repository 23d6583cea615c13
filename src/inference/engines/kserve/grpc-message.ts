import type { Manifest } from '../../manifest.ts';
import { BadAnswer } from './failures.ts';
import {
  type DepthAnswer,
  depthAnswer,
  inputInfo,
  type ServerModel,
  type TensorInfo,
} from './tensors.ts';

/** Messages of the Open Inference Protocol (KServe v2) over gRPC, as engines/kserve/inference.proto says. */

/** ModelMetadataResponse. */
export interface MetadataAnswer {
  readonly platform: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** ModelInferResponse. */
export interface InferAnswer {
  readonly outputs: readonly (TensorInfo & {
    readonly contents: { readonly fp32_contents: readonly number[] } | null;
  })[];
  readonly raw_output_contents: readonly Uint8Array[];
}

export function modelOf({ platform, inputs, outputs }: MetadataAnswer): ServerModel {
  return { platform, inputs, outputs };
}

/** A ModelInferRequest. @param input the bytes of the tensor */
export function inferRequest(
  manifest: Manifest,
  model: { readonly model_name: string; readonly model_version: string },
  input: Uint8Array,
): object {
  return {
    ...model,
    inputs: [inputInfo(manifest)],
    outputs: [{ name: manifest.output.name }],
    raw_input_contents: [input],
  };
}

/** Reads a ModelInferResponse, with bytes or with numbers. @throws BadAnswer */
export function depthOf(
  { outputs, raw_output_contents: bytes }: InferAnswer,
  { output }: Manifest,
): DepthAnswer {
  const at = outputs.findIndex(({ name }) => name === output.name);
  const found = outputs[at];
  if (!found) throw new BadAnswer(`has no output "${output.name}"`);
  if (bytes.length === 0) return depthAnswer(found, undefined, found.contents?.fp32_contents);
  return depthAnswer(found, bytes[at] ?? new Uint8Array(0), undefined);
}
