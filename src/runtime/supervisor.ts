import { sleep, systemClock } from '../core/clock.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { AnyPipeline } from '../pipeline/cameras.ts';
import type { Run, RunOptions, RunSummary } from './run-handle.ts';
import { startPipeline } from './runner.ts';

/** A new pipeline that fails within this time, before its first frame, has not started; milliseconds. */
const trialMs = 3000;
const lookMs = 50;

export interface FailedCamera {
  readonly camera: string;
  readonly why: string;
}

/** What became of a request to run another pipeline. */
export type Replaced =
  | { readonly result: 'unchanged' }
  /** Changed while it runs. */
  | { readonly result: 'changed'; readonly changed: readonly string[] }
  /** Nothing has changed. */
  | {
      readonly result: 'needs-restart';
      readonly restart: readonly string[];
      readonly changed: readonly string[];
    }
  /** Drained, closed and started with the new pipeline; of several cameras, without those that have failed. */
  | {
      readonly result: 'restarted';
      readonly changed: readonly string[];
      readonly failed?: readonly FailedCamera[];
    }
  /** The new pipeline did not start, or failed before its first frame; the one before runs again. */
  | { readonly result: 'reverted'; readonly why: string }
  /** Nothing has changed: there is no run, or it is about to end. */
  | { readonly result: 'refused'; readonly why: string };

export interface SupervisorOptions extends RunOptions {
  /** A run has started; called again for a run that replaces it. */
  onRun?(run: Run): void;
  /** A run was replaced; what it did. */
  onReplaced?(summary: RunSummary): void;
}

/**
 * Runs a pipeline, and others in its place: a new run begins when the one before is drained and closed.
 * `frames` and `durationMs` count over all of them, and a pause outlasts a restart.
 */
export class Supervisor {
  /** Resolves with the summary of the last run. Rejects if no run can be started any more. */
  readonly done: Promise<RunSummary>;
  readonly #options: SupervisorOptions;
  readonly #startedAt: number;
  #pipeline: AnyPipeline;
  #run: Run | undefined;
  /** While a run is replaced: rejects if none could be started, gives nothing if none is to be. */
  #replacing: Promise<Run | undefined> | undefined;
  /** Frames that the sources of earlier runs have given; of each camera, at most. */
  #given = 0;
  #over = false;

  private constructor(pipeline: AnyPipeline, options: SupervisorOptions, run: Run) {
    this.#options = options;
    this.#pipeline = pipeline;
    this.#startedAt = this.#now() - run.stats().elapsedMs;
    this.#adopt(run);
    this.done = this.#follow(run);
  }

  /** @throws what `startPipeline` throws */
  static async start(pipeline: AnyPipeline, options: SupervisorOptions = {}): Promise<Supervisor> {
    const run = await startPipeline(pipeline, options);
    return new Supervisor(pipeline, options, run);
  }

  /** Nothing while a run that replaces another opens its components. */
  get run(): Run | undefined {
    return this.#run;
  }

  /**
   * Changes to another pipeline: while it runs if everything that differs allows it, else by a restart
   * if `restart` says so.
   *
   * @throws DepthlineError if a component does not take a change that its definition promises
   */
  async replace(pipeline: AnyPipeline, { restart = false } = {}): Promise<Replaced> {
    const run = this.#run;
    if (!run || this.#replacing) return { result: 'refused', why: 'a restart is in progress' };
    if (this.#over || run.stats().ending) return { result: 'refused', why: 'the run is ending' };
    const { changed, restart: needed } = run.adjust(pipeline);
    if (needed.length === 0) {
      this.#pipeline = pipeline;
      return changed.length === 0 ? { result: 'unchanged' } : { result: 'changed', changed };
    }
    if (!restart) return { result: 'needs-restart', restart: needed, changed };
    return this.#restart(run, pipeline, [...needed, ...changed]);
  }

  async #restart(run: Run, pipeline: AnyPipeline, changed: readonly string[]): Promise<Replaced> {
    const { paused } = run.stats();
    let reverted: string | undefined;
    const start = async (): Promise<Run | undefined> => {
      run.stop();
      const summary = await run.done;
      this.#given += givenBy(run);
      // What has failed or is finished is not started again.
      if (hasFailed(summary) || this.#isFinished()) return undefined;
      this.#run = undefined;
      const next = await this.#tried(pipeline, paused).catch((error: unknown) => {
        if (this.#options.signal?.aborted) return undefined;
        reverted = error instanceof DepthlineError && error.at ? `${error.at}: ` : '';
        reverted += reason(error);
        this.#run = undefined;
        return this.#startAgain(this.#pipeline, paused);
      });
      if (next) this.#options.onReplaced?.(summary);
      return next;
    };
    this.#replacing = start();
    const next = await this.#replacing.catch(() => undefined);
    this.#replacing = undefined;
    if (!next) return { result: 'refused', why: 'the run has ended' };
    if (next !== this.#run) this.#adopt(next);
    if (reverted !== undefined) return { result: 'reverted', why: reverted };
    this.#pipeline = pipeline;
    const failed = failedCameras(next);
    return { result: 'restarted', changed, ...(failed.length > 0 && { failed }) };
  }

  /**
   * A run of another pipeline of which each camera has got its first frame or has failed, or that has not ended
   * for a while.
   *
   * @throws the error that ended it before its first frame
   */
  async #tried(pipeline: AnyPipeline, paused: boolean): Promise<Run> {
    const run = await this.#startAgain(pipeline, paused);
    this.#adopt(run);
    const ended: { summary?: RunSummary } = {};
    void run.done.then((summary) => {
      ended.summary = summary;
    });
    const until = this.#now() + trialMs;
    while (!ended.summary && !paused && waits(run) && this.#now() < until)
      await Promise.race([run.done, sleep(this.#options.clock ?? systemClock, lookMs)]);
    const { error, captured } = ended.summary ?? {};
    if (error && captured === 0) throw error;
    return run;
  }

  #isFinished(): boolean {
    const { signal } = this.#options;
    return signal?.aborted === true || this.#framesLeft() === 0 || this.#durationLeft() === 0;
  }

  #framesLeft(): number | undefined {
    const { frames } = this.#options;
    return frames === undefined ? undefined : Math.max(0, frames - this.#given);
  }

  #durationLeft(): number | undefined {
    const { durationMs } = this.#options;
    if (durationMs === undefined) return undefined;
    return Math.max(0, this.#startedAt + durationMs - this.#now());
  }

  #startAgain(pipeline: AnyPipeline, paused: boolean): Promise<Run> {
    const frames = this.#framesLeft();
    const durationMs = this.#durationLeft();
    return startPipeline(pipeline, {
      ...this.#options,
      paused,
      ...(frames !== undefined && { frames }),
      ...(durationMs !== undefined && { durationMs }),
    });
  }

  #adopt(run: Run): void {
    this.#run = run;
    this.#options.onRun?.(run);
  }

  /** Follows each run to its end, and then the one that takes its place. */
  async #follow(first: Run): Promise<RunSummary> {
    let run: Run | undefined = first;
    for (;;) {
      const summary: RunSummary = await run.done;
      const next: Run | undefined = await this.#replacing;
      if (!next) {
        this.#over = true;
        return summary;
      }
      run = next;
    }
  }

  #now(): number {
    return (this.#options.clock ?? systemClock).now();
  }
}

/** A camera that has failed leaves the others, which a restart is for. */
function hasFailed({ error, cameras = [] }: RunSummary): boolean {
  const failed = cameras.filter((one) => one.error).length;
  return error !== undefined && (failed === 0 || failed === cameras.length);
}

/** What `frames` counts: not what a camera has lost, which is captured all the same. */
function givenBy(run: Run): number {
  const { stages } = run.stats();
  return Math.max(0, ...stages.flatMap(({ kind, left }) => (kind === 'source' ? left : [])));
}

/** Whether a camera that runs has given no frame yet. */
function waits(run: Run): boolean {
  const { cameras, captured } = run.stats();
  if (!cameras) return captured === 0;
  return cameras.some((one) => one.state === 'running' && one.captured === 0);
}

function failedCameras(run: Run): FailedCamera[] {
  const { cameras = [] } = run.stats();
  return cameras.flatMap(({ name, error }) =>
    error === undefined ? [] : [{ camera: name, why: error }],
  );
}
