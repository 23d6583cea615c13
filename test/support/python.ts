import { execFileSync } from 'node:child_process';

/** A Python that has these modules; `make test` installs Debian's. */
export function pythonWith(...modules: readonly string[]): string {
  for (const python of ['/usr/bin/python3', 'python3']) {
    try {
      execFileSync(python, ['-c', `import ${modules.join(', ')}`], {
        stdio: 'ignore',
        timeout: 60_000,
      });
      return python;
    } catch {
      // The next one may have them.
    }
  }
  throw new Error(`no python3 has ${modules.join(', ')}; "make test" installs them`);
}
