import type { InferenceSession } from 'onnxruntime-node';
import type { ProviderOptions } from './choice.ts';

/** An execution provider with its options, as onnxruntime-node takes it. */
export function withOptions(
  name: string,
  { cuda, tensorrt, webgpu }: ProviderOptions = {},
): InferenceSession.ExecutionProviderConfig {
  if (name === 'cuda' && cuda) return { name, deviceId: cuda.device };
  if (name === 'tensorrt' && tensorrt) return { name, deviceId: tensorrt.device };
  if (name === 'webgpu' && webgpu) return { name, preferredLayout: webgpu.layout };
  return name;
}
