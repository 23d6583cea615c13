import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DepthlineError, reason } from '../../core/errors.ts';
import { bindingFile } from './choice.ts';
import { bindingPath } from './native-session.ts';

export type Runtime = typeof import('onnxruntime-node');

/** What a `NativeSession` needs of it. */
export interface NativeRuntime extends Pick<Runtime, 'Tensor'> {
  /** Of the package. */
  readonly version: string;
}

const require = createRequire(import.meta.url);

/**
 * onnxruntime-node, with another build of its binding in place of its own: the one in the folder `binding`, or in
 * $DEPTHLINE_ONNXRUNTIME. All that a process loads must be the same build: their libraries have the same names, and
 * the first one that is loaded would serve all.
 *
 * @throws DepthlineError `MISSING` if it is not there or cannot be loaded, `CONFIG` if another build is loaded already
 */
export async function loadRuntime(binding?: string): Promise<Runtime> {
  chooseBinding(binding);
  return import('onnxruntime-node');
}

/**
 * The same without its own JavaScript, which takes longer to load than the native part.
 *
 * @throws like `loadRuntime`
 */
export async function loadNativeRuntime(binding?: string): Promise<NativeRuntime> {
  chooseBinding(binding);
  const file = require.resolve('onnxruntime-node/package.json');
  const { version } = require(file) as { version: string };
  const { Tensor } = createRequire(file)('onnxruntime-common') as Runtime;
  return { Tensor, version };
}

function chooseBinding(binding: string | undefined): void {
  const folder = bindingFolder(binding);
  const file = join(folder, bindingFile);
  if (folder !== ownFolder() && !existsSync(file)) {
    const where = binding === undefined ? 'DEPTHLINE_ONNXRUNTIME' : '"binding"';
    const message = `there is no ${file}; write into ${where} the folder of your build of onnxruntime-node that has ${bindingFile}`;
    throw new DepthlineError('MISSING', message);
  }
  const other = loadedBindings().find((path) => path !== realPath(file));
  if (other !== undefined) {
    const message = `${file} cannot be loaded, since ${other} is: a process has one build of ONNX Runtime; name the same folder everywhere, or set DEPTHLINE_ONNXRUNTIME to it`;
    throw new DepthlineError('CONFIG', message);
  }
  if (folder !== ownFolder()) {
    load(file);
    // What the package itself requires is then there already.
    require.cache[bindingPath()] = require.cache[require.resolve(file)];
  }
}

function realPath(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

function load(file: string): void {
  try {
    require(file);
  } catch (cause) {
    const message = `${file} cannot be loaded: ${reason(cause)}`;
    throw new DepthlineError('MISSING', message, { cause });
  }
}

/** Where the binding is that is loaded: `binding`, $DEPTHLINE_ONNXRUNTIME, or the folder of the package. */
export function bindingFolder(binding = process.env.DEPTHLINE_ONNXRUNTIME || undefined): string {
  return binding ?? ownFolder();
}

function ownFolder(): string {
  return dirname(bindingPath());
}

/** The files of bindings in the memory of this process. */
function loadedBindings(): string[] {
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return [];
  }
  const paths = maps.split('\n').map((line) => line.slice(line.indexOf('/')));
  return [...new Set(paths.filter((path) => path.endsWith(`/${bindingFile}`)))];
}
