import { resolve } from 'node:path';
import { Option } from 'commander';
import { builtins } from '../builtins.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Registry } from '../core/registry.ts';
import { importComponents } from '../pipeline/use-module.ts';

/** `--use MODULE`: like `use` in a pipeline file. */
export function useOption(): Option {
  const option = new Option(
    '--use <module>',
    'include the components of this module; repeat for more',
  );
  return option
    .default([], 'none')
    .argParser((value, before: readonly string[]) => [...before, value]);
}

/**
 * The built-in components and those of the modules; paths are relative to the working directory.
 *
 * @throws DepthlineError `CONFIG` if one cannot be loaded
 */
export async function componentsWith(modules: readonly string[]): Promise<Registry> {
  const registry = builtins.copy();
  for (const module of modules) {
    try {
      for (const component of await importComponents(resolve(module))) registry.add(component);
    } catch (error) {
      const [why] = reason(error).split('\n');
      const message = `${module} could not be loaded: ${why}`;
      throw new DepthlineError('CONFIG', message, { cause: error });
    }
  }
  return registry;
}
