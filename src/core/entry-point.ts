import { fileURLToPath } from 'node:url';

const packageUrl = new URL('../../', import.meta.url);

/**
 * URL of a compiled file that a worker or child process starts from: Node.js cannot start a `.ts` file.
 *
 * @param path of the entry below `src/`, without its extension: `stereo/rectify-worker`; or of a bundle of it
 *   (scripts/bundle.mjs)
 */
export function entryPoint(path: string): URL {
  return new URL(`dist/${path}.js`, packageUrl);
}

/** The package's own folder: where `models/` and `pipelines/` are. */
export function packageDirectory(): string {
  return fileURLToPath(packageUrl);
}
