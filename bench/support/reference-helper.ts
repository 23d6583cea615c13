import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The helper of engines/onnxruntime/, built where it is out of date. */
export function referenceHelper(): string {
  const build = join(root, 'node_modules/.cache/depthline-bench/engine');
  execFileSync('make', ['-s', '-C', join(root, 'engines/onnxruntime'), `BUILD=${build}`]);
  return join(build, 'depthline-onnxruntime');
}
