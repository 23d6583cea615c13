import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';

/** Whether `prom-client` is loaded after these modules of the package are. */
function loadsPromClient(...modules: string[]): boolean {
  const urls = modules.map((name) => pathToFileURL(join(packageDirectory(), 'dist', name)).href);
  const script = `
    import { createRequire } from 'node:module';
    for (const url of ${JSON.stringify(urls)}) await import(url);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.some((path) => path.includes('/prom-client/')));
  `;
  const args = ['--input-type=module', '--eval', script];
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return printed.trim() === 'true';
}

it('prom-client is loaded by a run that is served, and by no other', () => {
  expect(loadsPromClient('index.js', 'cli/run.js', 'cli/open-service.js')).toBe(false);
  expect(loadsPromClient('serve/run-service.js')).toBe(true);
});
