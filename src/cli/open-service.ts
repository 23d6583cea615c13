import { resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { type ServeOptions, serveWarnings } from '../pipeline/serve-options.ts';
import type { Commanded } from '../serve/command-routes.ts';
import { openRunService } from '../serve/open-run-service.ts';
import type { RunService } from '../serve/run-service.ts';

/**
 * Opens the server of a run.
 *
 * @throws DepthlineError `SERVE` if it cannot listen
 */
export async function openService(options: ServeOptions, log: Logger): Promise<RunService> {
  const warn = (message: string) => log.warn(`serve: ${message}`, 'serve');
  const service = await openRunService({ ...options, warn });
  for (const warning of serveWarnings(options)) warn(warning);
  log.info(`serve: metrics and health at ${service.address}`, 'serve');
  return service;
}

/** What the commands need to be told of a run. */
export interface Commands {
  onFrame(frame: Frame, branch: string | undefined): void;
  /** A run has started, or taken the place of another. */
  onRun(): void;
}

/** Lets requests reload, pause, resume and save snapshots. */
export async function addCommands(
  service: RunService,
  commanded: Omit<Commanded, 'snapshots'>,
): Promise<Commands> {
  const [{ commandRoutes }, { Snapshots }] = await Promise.all([
    import('../serve/command-routes.ts'),
    import('../serve/snapshot.ts'),
  ]);
  const snapshots = new Snapshots(systemClock);
  for (const route of commandRoutes({ ...commanded, snapshots })) service.add(route);
  return {
    onFrame: (frame, branch) => snapshots.keep(frame, branch),
    onRun: () => snapshots.clear(),
  };
}

/** Where snapshots go: a flag counts from the working directory, an option of the file from the file. */
export function snapshotFolder(
  flag: string | undefined,
  { snapshots }: ServeOptions,
  baseDirectory: string,
): string | undefined {
  if (flag !== undefined) return resolve(flag);
  return snapshots === undefined ? undefined : resolvePath(baseDirectory, snapshots);
}
