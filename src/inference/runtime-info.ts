import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';

/** Version of ONNX Runtime, and the execution providers whose libraries are installed. */
export function runtimeInfo(): { version: string; providers: string[] } {
  const providers = ort
    .listSupportedBackends()
    .filter(({ name, bundled }) => bundled || existsSync(providerLibrary(name)))
    .map(({ name }) => name);
  return { version: ort.env.versions.node ?? '', providers };
}

/** Where the install script of onnxruntime-node puts the library of a provider that is not bundled. */
function providerLibrary(name: string): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const { platform, arch } = process;
  const folder = join(dirname(entry), 'bin', 'napi-v6', platform, arch);
  return join(folder, `libonnxruntime_providers_${name}.so`);
}
