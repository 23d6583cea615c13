import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Definition } from '../core/component.ts';
import { reason } from '../core/errors.ts';
import { type FrameKind, frameKinds } from '../core/frame.ts';
import { isDefinition, type Registry } from '../core/registry.ts';
import { requireRegularFile } from '../core/regular-file.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { unlessIdle } from '../core/unless-idle.ts';
import type { Problem } from './pipeline.ts';

/**
 * Adds the components of a pipeline file's own modules to `registry`.
 *
 * @param value the file's `use`: a path or a list of paths, relative to the file
 * @param file path of the pipeline file
 * @returns whether every module was loaded
 */
export async function addModules(
  value: unknown,
  file: string,
  registry: Registry,
  report: (problem: Problem) => void,
): Promise<boolean> {
  if (value === undefined) return true;
  const modules = Array.isArray(value) ? (value as unknown[]) : [value];
  let complete = true;
  for (const [index, module] of modules.entries()) {
    const path = Array.isArray(value) ? ['use', index] : ['use'];
    if (typeof module !== 'string' || module === '') {
      report({ path, message: 'must be the path of a JavaScript module' });
      complete = false;
      continue;
    }
    try {
      const components = await importComponents(modulePath(file, module));
      for (const component of components) registry.add(component);
      if (components.length > 0) continue;
      const message = `${module} exports no component; define one with defineOperator, defineSource or defineSink`;
      report({ path, message });
    } catch (error) {
      complete = false;
      const [why] = reason(error).split('\n');
      report({ path, message: `${module} could not be loaded: ${why}` });
    }
  }
  return complete;
}

/** Absolute paths of the modules in a pipeline file's `use`. */
export function modulePaths(value: unknown, file: string): string[] {
  return [value]
    .flat()
    .filter((module) => typeof module === 'string')
    .map((module) => modulePath(file, module));
}

function modulePath(file: string, module: string): string {
  return resolvePath(resolve(dirname(file)), module);
}

/**
 * The components that a user's module exports: results of `defineSource`, `defineOperator` or
 * `defineSink`. Rejects if the file does not exist or cannot be loaded.
 *
 * @param file absolute path
 */
export async function importComponents(file: string): Promise<Definition[]> {
  try {
    await requireRegularFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`no such file: ${file}`, { cause: error });
  }
  let exported: Record<string, unknown>;
  try {
    exported = await unlessIdle(
      import(pathToFileURL(file).href),
      'it never finishes loading: a top-level await has nothing left to wait for',
    );
  } catch (error) {
    throw unloadable(file, error);
  }
  const components = [...new Set(Object.values(exported).filter(isDefinition))];
  for (const component of components) {
    const need = needOf(component);
    if (need !== undefined)
      throw new Error(`the ${component.role} "${component.name}" needs ${need}`);
  }
  return components;
}

/** What a component in JavaScript may lack, where TypeScript would have demanded it. */
function needOf({ role, options, ...definition }: Definition): string | undefined {
  const { accepts, emits } = definition as Readonly<Record<string, unknown>>;
  if (typeof (options as Partial<typeof options>).safeParse !== 'function')
    return '"options" made with zod: z.strictObject({ … })';
  if (role !== 'source' && !areKinds(accepts))
    return `"accepts": a list of ${frameKinds.join(', ')}`;
  const isSame = emits === 'same' && role === 'operator';
  if (role === 'sink' || isSame || typeof emits === 'function' || areKinds(emits)) return undefined;
  return `"emits": a list of ${frameKinds.join(', ')}${role === 'operator' ? ', or "same"' : ''}`;
}

function areKinds(value: unknown): boolean {
  return Array.isArray(value) && value.every((kind) => frameKinds.includes(kind as FrameKind));
}

const typeScript = new Set(['.ts', '.mts', '.cts']);
const javaScript = new Set(['.js', '.mjs', '.cjs', '']);

function unloadable(file: string, cause: unknown): unknown {
  // A module may throw anything, null too.
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  const message = problemOf(file, code, cause);
  return message === undefined ? cause : new Error(message, { cause });
}

function problemOf(file: string, code: string, cause: unknown): string | undefined {
  const ending = extname(file);
  if (typeScript.has(ending)) {
    const compile = `compile the module (npx tsc ${file}) and name the .js file`;
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
      return `Node.js ${process.versions.node} does not run TypeScript; use Node.js 22.18 or newer, or ${compile}`;
    if (/^ERR_UNSUPPORTED_.*TYPE/.test(code)) return `${reason(cause)}; ${compile}`;
  } else if (!javaScript.has(ending)) {
    return `it is no JavaScript module; "use" takes a .js, .mjs or .cjs file, or TypeScript (.ts)`;
  }
  return undefined;
}
