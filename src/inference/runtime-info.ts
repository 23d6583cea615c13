import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bindingFolder, loadRuntime } from './engines/load-runtime.ts';

/**
 * Version of ONNX Runtime, and the execution providers whose libraries are installed.
 *
 * @param binding folder of another build
 */
export async function runtimeInfo(
  binding?: string,
): Promise<{ version: string; providers: string[] }> {
  const ort = await loadRuntime(binding);
  const folder = bindingFolder(binding);
  const providers = ort
    .listSupportedBackends()
    .filter(({ name, bundled }) => bundled || existsSync(providerLibrary(folder, name)))
    .map(({ name }) => name);
  return { version: ort.env.versions.node ?? '', providers };
}

/** Where the library of a provider that is not bundled is put, by the install script of onnxruntime-node, too. */
function providerLibrary(folder: string, name: string): string {
  return join(folder, `libonnxruntime_providers_${name}.so`);
}
