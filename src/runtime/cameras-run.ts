import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import type { CameraStats, RunStats } from '../core/run-stats.ts';
import { type AnyPipeline, type CameraPipelines, hasCameras } from '../pipeline/cameras.ts';
import type { PipelineChanges } from '../pipeline/pipeline-changes.ts';
import { CameraLive } from './camera-live.ts';
import { observerOf, statsOf, summaryOf } from './camera-names.ts';
import { reportClockSteps } from './clock-steps.ts';
import { Closings } from './closings.ts';
import { cameraLog } from './component-log.ts';
import type { Run, RunOptions, RunSummary } from './run-handle.ts';
import { componentReports } from './run-summary.ts';
import { Running } from './running.ts';
import { Shared } from './shared.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} };

/** A camera and the run of its pipeline. */
interface Member {
  readonly name: string;
  readonly run: Running;
  /** Undefined while it runs. */
  summary: RunSummary | undefined;
  /** Why it could not start. */
  failure: DepthlineError | undefined;
}

/**
 * Several cameras at the same time: the run of each, with its own gate, queues, ledger and restarts, and
 * what they share. A camera that fails or ends leaves the others alone; the run ends with the last.
 */
export class CamerasRun implements Run {
  readonly done: Promise<RunSummary>;
  readonly #name: string;
  readonly #log: Logger;
  readonly #options: RunOptions;
  readonly #members: readonly Member[];
  readonly #shared: Shared;
  readonly #closings = new Closings();
  #pipeline: CameraPipelines;
  #resolve!: (summary: RunSummary) => void;

  constructor(pipeline: CameraPipelines, options: RunOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#name = pipeline.name;
    this.#log = options.log ?? silent;
    const clock = options.clock ?? systemClock;
    const live = new CameraLive(() => this.#members);
    this.#shared = new Shared({
      clock,
      log: this.#log,
      pipeline,
      stats: () => this.stats(),
      live,
    });
    this.#members = pipeline.cameras.map((one) => ({
      name: one.camera,
      run: new Running(one, this.#optionsOf(one.camera), this.#shared),
      summary: undefined,
      failure: undefined,
    }));
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /**
   * Builds all cameras. One whose own parts cannot be built has failed; the others run.
   *
   * @throws DepthlineError if the configuration is wrong, or no camera can be built
   */
  async build(): Promise<void> {
    const built = await Promise.allSettled(this.#members.map(({ run }) => run.build()));
    const failures = built.map((one) => (one.status === 'rejected' ? one.reason : undefined));
    const isMistake = (error: unknown) =>
      !(error instanceof DepthlineError) || error.code === 'CONFIG';
    const fatal = failures.find((error) => error !== undefined && isMistake(error));
    const reason = fatal ?? (failures.includes(undefined) ? undefined : failures[0]);
    if (reason !== undefined) {
      const open = this.#members.filter((_, index) => failures[index] === undefined);
      for (const { run } of open) run.abort();
      // Whoever starts another run then finds ports and files free.
      await Promise.all(open.map(({ run }) => run.done));
      await this.#shared.close();
      throw reason;
    }
    for (const [index, failure] of failures.entries())
      if (failure !== undefined)
        this.#failed(this.#members[index] as Member, failure as DepthlineError);
  }

  start(): void {
    const { clock = systemClock } = this.#options;
    reportClockSteps(clock, this.#log, this.#closings);
    const running = this.#members.filter(({ failure }) => !failure);
    for (const { run } of running) run.start();
    const ends = running.map(async (member) => {
      member.summary = await member.run.done;
      if (member.summary.error) this.#failed(member, member.summary.error);
    });
    void Promise.all(ends).then(() => this.#end());
  }

  stop(): void {
    for (const { run } of this.#running) run.stop();
  }

  abort(): void {
    for (const { run } of this.#running) run.abort();
  }

  pause(): void {
    for (const { run } of this.#running) run.pause();
  }

  resume(): void {
    for (const { run } of this.#running) run.resume();
  }

  async nextFrame(signal: AbortSignal, camera?: string): Promise<Frame | undefined> {
    const asked = this.#running.filter(({ name }) => camera === undefined || name === camera);
    const found = new AbortController();
    const either = AbortSignal.any([signal, found.signal]);
    // The first frame settles it; where none comes, all give nothing.
    const frames = asked.map(async ({ run }) => {
      const frame = await run.nextFrame(either);
      if (!frame) throw new Error('no frame');
      return frame;
    });
    const first = await Promise.any(frames).catch(() => undefined);
    found.abort();
    return first;
  }

  adjust(next: AnyPipeline): PipelineChanges {
    const names = namesOf(this.#pipeline).join(', ');
    const now = hasCameras(next) ? namesOf(next).join(', ') : 'one source without a name';
    if (!hasCameras(next) || names !== now)
      return { live: [], changed: [], restart: [`cameras: ${names} → ${now}`] };
    const all = this.#members.map(({ name, run }, index) => {
      const to = next.cameras[index] as CameraPipelines['cameras'][number];
      return { name, run, from: run.pipeline, to, changes: run.changesTo(to) };
    });
    const words = (which: 'changed' | 'restart') =>
      all.flatMap(({ name, changes }) => changes[which].map((text) => `${name}: ${text}`));
    const live = all.flatMap(({ changes }) => changes.live);
    const found = { live, changed: words('changed'), restart: words('restart') };
    if (found.restart.length > 0) return found;
    const made: typeof all = [];
    try {
      for (const one of all) {
        // What has ended takes no changes.
        if (!this.#running.some(({ run }) => run === one.run)) continue;
        one.run.adjustTo(one.to);
        made.push(one);
      }
    } catch (error) {
      for (const { run, from } of made) run.adjustTo(from);
      throw error;
    }
    this.#pipeline = next;
    return found;
  }

  stats(): RunStats {
    const all = this.#members.map(({ name, run }) => statsOf(name, run.stats()));
    const sum = (of: (stats: RunStats) => number) =>
      all.reduce((total, stats) => total + of(stats), 0);
    const running = all.filter((_, index) => this.#isRunning(this.#members[index] as Member));
    return {
      captured: sum(({ captured }) => captured),
      processed: sum(({ processed }) => processed),
      elapsedMs: Math.max(...all.map(({ elapsedMs }) => elapsedMs)),
      ending: all.every(
        ({ ending }, index) => ending || !this.#isRunning(this.#members[index] as Member),
      ),
      paused: running.length > 0 && running.every(({ paused }) => paused),
      heldBy: [...new Set(running.flatMap(({ heldBy }) => heldBy))],
      stages: all.flatMap(({ stages }) => stages),
      branches: all.flatMap(({ branches }) => branches),
      cameras: this.#members.map((member, index) =>
        this.#cameraStats(member, all[index] as RunStats),
      ),
      sharedRestarts: [...this.#shared.restarts].map(([stage, count]) => ({ stage, count })),
    };
  }

  get #running(): readonly Member[] {
    return this.#members.filter((member) => this.#isRunning(member));
  }

  #isRunning({ summary, failure }: Member): boolean {
    return !summary && !failure;
  }

  #cameraStats({ name, summary, failure }: Member, stats: RunStats): CameraStats {
    const { captured, processed, ending } = stats;
    const error = failure ?? summary?.error;
    const state = error ? 'failed' : summary ? 'ended' : ending ? 'ending' : 'running';
    return { name, captured, processed, state, ...(error && { error: error.message }) };
  }

  #optionsOf(camera: string): RunOptions {
    const { onFrame, observer, ...options } = this.#options;
    return {
      ...options,
      log: cameraLog(this.#log, camera),
      ...(onFrame && {
        onFrame: (frame, branch) =>
          onFrame(frame, branch === undefined ? undefined : `${camera}/${branch}`),
      }),
      ...(observer && { observer: observerOf(camera, observer) }),
    };
  }

  #failed(member: Member, error: DepthlineError): void {
    member.failure = error;
    const others = this.#running.length;
    const rest =
      others === 0 ? '' : `; ${others === 1 ? 'one camera goes' : `${others} cameras go`} on`;
    const where = error.at === undefined ? '' : `${error.at}: `;
    this.#log.warn(`camera ${member.name} has failed: ${where}${error.message}${rest}`);
  }

  async #end(): Promise<void> {
    const failures: unknown[] = [];
    const shared = componentReports(this.#shared.reports, (error) => failures.push(error));
    failures.push(...(await this.#shared.close()));
    await this.#closings.run();
    const summaries = this.#members.map(({ name, run, summary, failure }) => ({
      name,
      summary: summary ?? notStarted(run.stats(), failure as DepthlineError),
    }));
    this.#resolve(
      summaryOf(this.#name, summaries, {
        components: shared,
        restarts: [...this.#shared.restarts].map(([stage, count]) => ({ stage, count })),
        error: failures[0] as DepthlineError | undefined,
      }),
    );
  }
}

function namesOf({ cameras }: CameraPipelines): string[] {
  return cameras.map(({ camera }) => camera);
}

/** The summary of a camera that could not be built. */
function notStarted({ elapsedMs }: RunStats, error: DepthlineError): RunSummary {
  return {
    pipeline: '',
    captured: 0,
    branches: [],
    fps: 0,
    latencyMs: undefined,
    elapsedMs,
    restarts: [],
    components: {},
    violations: [],
    error,
  };
}
