import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { z } from 'zod';
import { packageDirectory } from '../core/entry-point.ts';
import { DepthlineError } from '../core/errors.ts';
import { formatProblem, valueProblems } from '../core/option-problems.ts';
import { noteSecrets } from '../core/secrets.ts';
import { serveSchema } from '../pipeline/serve-options.ts';
import type { RunService } from './run-service.ts';

/** Where a program serves its runs; the options of `serve:` in a pipeline file. */
export interface OpenRunServiceOptions extends z.input<typeof serveSchema> {
  /** Told of what goes wrong while it serves. Default: nobody. */
  readonly warn?: (message: string) => void;
}

/**
 * Serves metrics and health of runs that a program starts itself, as `--serve` does; on
 * 127.0.0.1:9464 unless the options say otherwise.
 *
 * ```ts
 * const service = await openRunService({ port: 9464 });
 * const run = await startPipeline(pipeline, { observer: service.observer });
 * service.attach(run);
 * await run.done;
 * await service.close();
 * ```
 *
 * @throws DepthlineError `CONFIG` if an option is wrong, `SERVE` if the port is taken or the host is not
 *   of this machine
 */
export async function openRunService({
  warn = () => {},
  ...options
}: OpenRunServiceOptions = {}): Promise<RunService> {
  noteSecrets(options);
  const checked = serveSchema.safeParse(options);
  if (!checked.success) {
    const problems = valueProblems(serveSchema, options).map(formatProblem);
    throw new DepthlineError('CONFIG', problems.join('\n'), { at: 'serve' });
  }
  // Loaded here: a program that serves nothing does not pay for it.
  const { RunService } = await import('./run-service.ts');
  return RunService.open({ ...checked.data, versions: versions(), warn });
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
