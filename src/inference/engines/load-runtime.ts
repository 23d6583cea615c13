import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bindingFile } from './choice.ts';

export type Runtime = typeof import('onnxruntime-node');

const require = createRequire(import.meta.url);

/**
 * onnxruntime-node, with another build of its binding in place of its own: the one in the folder `binding`, or in
 * $DEPTHLINE_ONNXRUNTIME. It must be loaded before the package's own, whose libraries have the same names.
 */
export async function loadRuntime(
  binding = process.env.DEPTHLINE_ONNXRUNTIME || undefined,
): Promise<Runtime> {
  if (binding !== undefined) {
    const file = join(binding, bindingFile);
    require(file);
    // What the package itself requires is then there already.
    require.cache[ownBinding()] = require.cache[require.resolve(file)];
  }
  return import('onnxruntime-node');
}

function ownBinding(): string {
  const folder = dirname(require.resolve('onnxruntime-node/package.json'));
  return join(folder, 'bin/napi-v6', process.platform, process.arch, bindingFile);
}
