import { type AnyPipeline, hasCameras } from '../pipeline/cameras.ts';
import { CamerasRun } from './cameras-run.ts';
import { checkRunOptions, type Run, type RunOptions, type RunSummary } from './run-handle.ts';
import { Running } from './running.ts';

/**
 * Builds, runs, drains and closes a pipeline.
 *
 * @returns the summary with the ledger
 * @throws DepthlineError if it cannot be built, or failed while running
 */
export async function runPipeline(
  pipeline: AnyPipeline,
  options: RunOptions = {},
): Promise<RunSummary> {
  const run = await startPipeline(pipeline, options);
  const summary = await run.done;
  if (summary.error) throw summary.error;
  return summary;
}

/**
 * Builds every component (models load, sockets bind, files open), then starts the source, or the cameras.
 *
 * @throws DepthlineError if the options are wrong or a component cannot be built, or the reason of
 *   `options.signal` if that aborts before all are; what was already open is closed
 */
export async function startPipeline(pipeline: AnyPipeline, options: RunOptions = {}): Promise<Run> {
  checkRunOptions(options);
  const run = hasCameras(pipeline)
    ? new CamerasRun(pipeline, options)
    : new Running(pipeline, options);
  await run.build();
  run.start();
  return run;
}
