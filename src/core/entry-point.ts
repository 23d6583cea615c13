import { fileURLToPath } from 'node:url';

/**
 * URL of a compiled file that a worker or child process starts from. Node cannot start a `.ts`
 * file, so from the sources (under vitest) this is the built copy in `dist/`.
 *
 * @param importer `import.meta.url` of the caller
 * @param relative path of the entry without its ending: `./worker`
 */
export function entryPoint(importer: string, relative: string): URL {
  const url = new URL(`${relative}.js`, importer);
  if (!importer.endsWith('.ts')) return url;
  return new URL(url.href.replace('/src/', '/dist/'));
}

/** The package's own folder: where `models/` and `pipelines/` are. */
export function packageDirectory(): string {
  return fileURLToPath(new URL('../../', import.meta.url));
}
