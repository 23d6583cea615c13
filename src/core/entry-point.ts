import { fileURLToPath } from 'node:url';

const packageUrl = new URL('../../', import.meta.url);

/**
 * URL of a compiled file that a worker or child process starts from. Node cannot start a `.ts`
 * file, so from the sources (under vitest) this is the built copy in `dist/`.
 *
 * @param importer `import.meta.url` of the caller
 * @param relative path of the entry without its extension: `./worker`
 */
export function entryPoint(importer: string, relative: string): URL {
  return compiledEntry(new URL(`${relative}.js`, importer), packageUrl);
}

/** The compiled copy of a file below `src/` of the package at `root`; other files are their own. */
export function compiledEntry(file: URL, root: URL): URL {
  const sources = new URL('src/', root).href;
  if (!file.href.startsWith(sources)) return file;
  return new URL(file.href.slice(sources.length), new URL('dist/', root));
}

/** The package's own folder: where `models/` and `pipelines/` are. */
export function packageDirectory(): string {
  return fileURLToPath(packageUrl);
}
