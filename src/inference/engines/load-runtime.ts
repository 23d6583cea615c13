import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bindingFile } from './choice.ts';
import { bindingPath } from './native-session.ts';

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
    require.cache[bindingPath()] = require.cache[require.resolve(file)];
  }
  return import('onnxruntime-node');
}
