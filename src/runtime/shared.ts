import type { Clock } from '../core/clock.ts';
import type { Sink } from '../core/component.ts';
import type { ComponentContext, Logger, SharedContext } from '../core/component-context.ts';
import { DepthlineError, located } from '../core/errors.ts';
import { Gate } from '../core/gate.ts';
import type { LiveOptions } from '../core/live-options.ts';
import type { RunStats } from '../core/run-stats.ts';
import type { CameraPipelines } from '../pipeline/cameras.ts';
import type { BranchStep } from '../pipeline/pipeline.ts';
import { Closings } from './closings.ts';
import { componentLog } from './component-log.ts';
import type { ComponentReport } from './component-report.ts';
import { SharedSink } from './shared-sink.ts';

export interface SharedParts {
  readonly clock: Clock;
  /** Of the run, not of a camera. */
  readonly log: Logger;
  readonly pipeline: CameraPipelines;
  /** Of the whole run. */
  stats(): RunStats;
  readonly live: LiveOptions;
}

/** What the cameras of a run use together: opened when the first asks for it, closed after the last. */
export class Shared {
  readonly reports: ComponentReport[] = [];
  /** Restarts of workers, by stage. */
  readonly restarts = new Map<string, number>();
  readonly #parts: SharedParts;
  readonly #closings = new Closings();
  readonly #abort = new AbortController();
  readonly #open = new Map<string, Promise<unknown>>();

  constructor(parts: SharedParts) {
    this.#parts = parts;
  }

  /** @param name of the component that asks */
  share<T>(key: string, name: string, open: (context: SharedContext) => Promise<T>): Promise<T> {
    const cameras = this.#parts.pipeline.cameras.map(({ camera }) => camera);
    return this.#once(`${name} ${key}`, () => open({ ...this.#context(name, name), cameras }));
  }

  /** The sink of a branch as one camera sees it. @param signal aborts when the camera gives up */
  async sink(step: BranchStep, camera: string, signal: AbortSignal): Promise<Sink | undefined> {
    const { name, path, sink, queue } = step;
    const { definition, options } = sink;
    const opened = await this.#once(path, async () => {
      const given = { ...this.#context(name, path), queue, cameras: this.#camerasOf(path) };
      const made = await definition.create(options, given);
      return made && new SharedSink(made);
    });
    return opened?.for(camera, signal);
  }

  /** The cameras with a branch at `path`. */
  #camerasOf(path: string): string[] {
    const { cameras } = this.#parts.pipeline;
    return cameras
      .filter(({ branches }) => branches.some((branch) => branch.path === path))
      .map(({ camera }) => camera);
  }

  /** Closes all; returns the errors. */
  async close(): Promise<unknown[]> {
    this.#abort.abort();
    const failures = await this.#closings.run();
    return failures.map((failure) => located(failure, 'SINK', 'closing'));
  }

  #once<T>(key: string, open: () => Promise<T>): Promise<T> {
    const found = this.#open.get(key) as Promise<T> | undefined;
    if (found) return found;
    const opening = open();
    this.#open.set(key, opening);
    return opening;
  }

  #context(name: string, path: string): ComponentContext {
    const { clock, log, pipeline, stats, live } = this.#parts;
    const uncounted = () => {
      const message = `${path} takes the frames of several cameras, so it cannot count any itself; reject the write of a frame that is not delivered`;
      throw new DepthlineError('INTERNAL', message);
    };
    const context: ComponentContext = {
      name,
      path,
      baseDirectory: pipeline.baseDirectory,
      clock,
      live,
      signal: this.#abort.signal,
      log: componentLog(log, name),
      gate: new Gate(),
      queue: { limit: 1, whenFull: 'block' },
      fused: [],
      onAdjust: () => {},
      onQueue: () => () => {},
      dropped: uncounted,
      failed: uncounted,
      undelivered: uncounted,
      inFlight: () => {},
      gives: () => {},
      reconnecting: () => {},
      restarted: () => void this.restarts.set(name, (this.restarts.get(name) ?? 0) + 1),
      defer: (cleanup) => this.#closings.add(cleanup),
      summary: (report) => this.reports.push({ name, report }),
      runStats: stats,
      share: (_, open) => open(context),
    };
    return context;
  }
}
