import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const inputs = ['src', 'web', 'scripts/bundle.mjs', 'package.json', 'package-lock.json'];
const inputFiles = [...inputs, 'tsconfig.json', 'tsconfig.build.json'];

/**
 * Workers, child processes and the page are taken from `dist/`, so the tests build it first, unless nothing has
 * changed since `npm run build` was started.
 */
export function setup(): void {
  if (changedAt(...inputFiles) < builtAt()) return;
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
}

/** When `npm run build` was started that ended well, milliseconds; 0: not yet. */
function builtAt(): number {
  return statSync(join(root, 'dist/.built'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The last change of these files and folders, and of all that is in them, milliseconds. */
function changedAt(...paths: readonly string[]): number {
  const times = paths.map((path) => {
    const stats = statSync(join(root, path));
    if (!stats.isDirectory()) return stats.mtimeMs;
    // A file that was removed has changed its folder.
    return Math.max(
      stats.mtimeMs,
      changedAt(...readdirSync(join(root, path)).map((name) => join(path, name))),
    );
  });
  return Math.max(0, ...times);
}
