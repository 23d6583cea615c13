import * as ort from 'onnxruntime-node';

/** Version of ONNX Runtime, and the execution providers that this build of it has. */
export function runtimeInfo(): { version: string; providers: string[] } {
  const providers = ort.listSupportedBackends().map(({ name }) => name);
  return { version: ort.env.versions.node ?? '', providers };
}
