import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hint } from '../core/did-you-mean.ts';
import { packageDirectory } from '../core/entry-point.ts';
import { DepthlineError } from '../core/errors.ts';

/** Folders that hold named pipelines: the project's own, then the built-in ones. */
function directories(): string[] {
  return [join(process.cwd(), 'pipelines'), join(packageDirectory(), 'pipelines')];
}

/** Named pipelines and their files; the project's own take precedence. */
export function namedPipelines(): Map<string, string> {
  const found = new Map<string, string>();
  for (const directory of directories()) {
    if (!existsSync(directory)) continue;
    for (const file of readdirSync(directory).sort()) {
      const name = basename(file, '.yaml');
      if (file.endsWith('.yaml') && !found.has(name)) found.set(name, join(directory, file));
    }
  }
  return found;
}

/** The file of a pipeline given by name or by path. */
export function findPipeline(nameOrFile: string): string {
  if (/\.ya?ml$/.test(nameOrFile) || nameOrFile.includes('/')) return nameOrFile;
  const named = namedPipelines();
  const file = named.get(nameOrFile);
  if (file !== undefined) return file;
  throw new DepthlineError(
    'CONFIG',
    `unknown pipeline "${nameOrFile}"${hint(nameOrFile, [...named.keys()])} (or give the path of a .yaml file)`,
  );
}
