import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessChoice } from '../../src/inference/engines/choice.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The reference helper, built by its Makefile. */
export function referenceHelper(): string {
  const folder = join(root, 'engines/onnxruntime');
  const build = once('', [folder], (target) =>
    run('make', ['-s', '-C', folder, `BUILD=${target}`, 'CXXFLAGS=-O1']),
  );
  return join(build, 'depthline-onnxruntime');
}

/**
 * The helper for TensorRT, built by its CMake file with the stand-in for TensorRT in test/support/tensorrt/.
 *
 * @param version of TensorRT that it is built for
 */
export function tensorRtHelper(version: string): string {
  const folder = join(root, 'engines/tensorrt');
  const standIn = join(root, 'test/support/tensorrt');
  const [major, minor] = version.split('.');
  const sources = [folder, standIn, join(root, 'engines/onnxruntime')];
  const build = once(version, sources, (target) => {
    const libraries = ['nvinfer', 'nvonnxparser', 'cudart'].map(
      (name) => `-D${name}_LIBRARY=${library}`,
    );
    run('cmake', [
      ...['-S', folder, '-B', target, `-DNVINFER_INCLUDE=${standIn}`, `-DCUDA_INCLUDE=${standIn}`],
      ...libraries,
      '-DCMAKE_BUILD_TYPE=Debug',
      `-DCMAKE_CXX_FLAGS=-Werror -DNV_TENSORRT_MAJOR=${major} -DNV_TENSORRT_MINOR=${minor}`,
    ]);
    run('cmake', ['--build', target]);
  });
  return join(build, 'depthline-tensorrt');
}

/** Where `build` has put what it makes of the sources in these folders; built once per state of them. */
function once(what: string, folders: readonly string[], build: (target: string) => void): string {
  const hash = createHash('sha256').update(root).update(what);
  const headers = join(root, 'engines');
  for (const folder of [headers, ...folders]) {
    const files = readdirSync(folder).filter((name) =>
      /\.(?:cpp|hpp|h|txt)$|^Makefile$/.test(name),
    );
    for (const file of files) hash.update(readFileSync(join(folder, file)));
  }
  const all = join(root, 'node_modules/.cache/engines');
  const target = join(all, hash.digest('hex').slice(0, 12));
  if (existsSync(target)) return target;
  mkdirSync(all, { recursive: true });
  // Another test file may build the same now: each has a folder of its own, the first that is complete stays.
  const own = mkdtempSync(`${target}-`);
  try {
    build(own);
    renameSync(own, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return target;
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 });
}

const library = join(
  root,
  `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
);

const fake = fileURLToPath(new URL('fake-helper.py', import.meta.url));

/** A helper without a network (see fake-helper.py). @param wrong what it does wrong while it loads */
export function fakeHelper(wrong = '', limits: Partial<ProcessChoice> = {}): ProcessChoice {
  const command = ['python3', fake, ...(wrong === '' ? [] : [wrong])];
  return { name: 'process', command, deadlineMs: 10_000, startWithinMs: 20_000, ...limits };
}
