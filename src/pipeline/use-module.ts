import { access } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Definition } from '../core/component.ts';
import { isDefinition } from '../core/registry.ts';

/**
 * The components that a module of the user's exports, made with `defineSource`, `defineOperator` or
 * `defineSink`. Rejects if there is no such file or it cannot be loaded.
 *
 * @param file absolute path
 */
export async function importComponents(file: string): Promise<Definition[]> {
  await access(file).catch(() => {
    throw new Error(`there is no file ${file}`);
  });
  const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  return [...new Set(Object.values(exported).filter(isDefinition))];
}
