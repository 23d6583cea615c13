import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Logger } from '../core/component.ts';
import { packageDirectory } from '../core/entry-point.ts';
import { type ServeOptions, serveWarnings } from '../pipeline/serve-options.ts';
import type { RunService } from '../serve/run-service.ts';

/**
 * Opens the server of a run.
 *
 * @throws DepthlineError `SERVE` if it cannot listen
 */
export async function openService(options: ServeOptions, log: Logger): Promise<RunService> {
  // Loaded here: a run that is not served does not pay for it.
  const { RunService } = await import('../serve/run-service.ts');
  const warn = (message: string) => log.warn(`serve: ${message}`, 'serve');
  const service = await RunService.open({ ...options, versions: versions(), warn });
  for (const warning of serveWarnings(options)) warn(warning);
  log.info(`serve: metrics and health at ${service.address}`, 'serve');
  return service;
}

function versions() {
  const require = createRequire(import.meta.url);
  return {
    version: versionIn(join(packageDirectory(), 'package.json')),
    node: process.versions.node,
    onnxruntime: versionIn(require.resolve('onnxruntime-node/package.json')),
  };
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
