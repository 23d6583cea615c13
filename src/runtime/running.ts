import type { Subscription } from 'rxjs';
import { type Clock, sleep, systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { type DepthlineError, located } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import type { LiveOptions } from '../core/live-options.ts';
import type { RunStats } from '../core/run-stats.ts';
import { unlessAborted } from '../core/unless-aborted.ts';
import { type AnyPipeline, type CameraPipelines, hasCameras } from '../pipeline/cameras.ts';
import { requireChecked } from '../pipeline/component-checks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { type PipelineChanges, pipelineChanges } from '../pipeline/pipeline-changes.ts';
import { type AssembledBranch, Assembly } from './assembly.ts';
import { type BranchEnd, overdue } from './branch.ts';
import { reportClockSteps } from './clock-steps.ts';
import { Closings } from './closings.ts';
import { Demand } from './demand.ts';
import { EndWatch } from './end-watch.ts';
import { branchAccount, type StageLedger } from './ledger.ts';
import { LivePipeline } from './live-options.ts';
import type { Run, RunOptions, RunSummary } from './run-handle.ts';
import {
  componentReports,
  restartsOf,
  resultsOf,
  unaccounted,
  violationsOf,
} from './run-summary.ts';
import type { Shared } from './shared.ts';
import { SourceFeed } from './source-feed.ts';
import { SourcePace } from './source-pace.ts';
import { StageWatch, watchedStages } from './stage-watch.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} };
const defaultDrainMs = 1500;
/** Operators that may hold frames (a delay, a buffer) get this long after the source has ended. */
const holdingPatienceMs = 10_000;
const leastPatienceMs = 100;
/** Holds the gate during a pause; `source waits for resume`. */
const paused = 'resume';

/** One pipeline of one source while it runs: a run, or that of one camera among several. */
export class Running implements Run {
  readonly done: Promise<RunSummary>;
  #pipeline: Pipeline;
  readonly #options: RunOptions;
  /** False for a camera among several. */
  readonly #alone: boolean;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #gate = new Gate();
  readonly #closings = new Closings();
  readonly #abort = new AbortController();
  readonly #assembly: Assembly;
  readonly #live = new LivePipeline({
    pipeline: () => this.#pipeline,
    adjust: (pipeline) => void this.adjustTo(pipeline),
  });
  readonly #demand: Demand;
  #watch: StageWatch | undefined;
  #feed: SourceFeed | undefined;
  #trunk: Subscription | undefined;
  #trunkWatch: EndWatch | undefined;
  #started = false;
  #stopped = false;
  #draining = false;
  #error: DepthlineError | undefined;
  #resolve!: (summary: RunSummary) => void;
  #startedAt = 0;
  #firstAt = 0;
  #lastAt = 0;
  #processed = 0;

  /** @param shared what it uses together with the other cameras of the run */
  constructor(pipeline: Pipeline, options: RunOptions, shared?: Shared) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#alone = shared === undefined;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silent;
    if (options.paused) this.#gate.hold(paused);
    this.#assembly = new Assembly({
      pipeline,
      clock: this.#clock,
      log: this.#log,
      gate: this.#gate,
      closings: this.#closings,
      signal: this.#abort.signal,
      listener: options.listener,
      observer: options.observer,
      onFrame: options.onFrame,
      onFailure: (error) => {
        this.#fail(error);
        this.stop();
      },
      patienceMs: (stages) => this.#patienceMs(stages),
      onBranchEnd: (end) => this.#onBranchEnd(end),
      onWanted: () => this.#demand.heed(),
      stats: () => this.stats(),
      live: this.#live,
      shared,
    });
    this.#demand = new Demand(this.#gate, () => this.#branches.map(({ branch }) => branch));
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  async build(): Promise<void> {
    try {
      const built = requireChecked(this.#pipeline).then(() => {
        this.#abort.signal.throwIfAborted();
        return this.#assembly.build();
      });
      await unlessAborted(built, this.#options.signal);
      this.#demand.heed();
    } catch (error) {
      // A component that is still opening gives up, or is closed when it is open.
      this.#abort.abort();
      if (!this.#options.signal?.aborted) await this.#opened();
      await this.#closings.run();
      throw error;
    }
  }

  /** What opens beside a component that failed is closed with the rest, unless it takes too long. */
  async #opened(): Promise<void> {
    const waits = new AbortController();
    const patience = sleep(this.#clock, defaultDrainMs, waits.signal);
    await Promise.race([this.#assembly.settled, patience]);
    waits.abort();
  }

  start(): void {
    this.#startedAt = this.#clock.now();
    // A branch's stages begin with those that all branches share.
    const { sourceLedger, trunk, operators } = this.#assembly;
    const own = this.#branches.map(({ branch, stages, takes }) => ({
      name: branch.name,
      own: stages.slice(1 + (takes === 'source' ? 0 : trunk.length)),
      takes,
    }));
    const watched = watchedStages(sourceLedger, trunk, own);
    const pace = new SourcePace(this.#clock, this.#gate);
    this.#watch = new StageWatch(watched, this.#gate, pace, this.#startedAt);
    const { signal, durationMs } = this.#options;
    const stop = () => this.stop();
    if (signal) {
      signal.addEventListener('abort', stop, { once: true });
      this.#closings.add(() => signal.removeEventListener('abort', stop));
    }
    if (durationMs !== undefined) this.#closings.add(this.#clock.after(durationMs, stop));
    if (this.#alone) reportClockSteps(this.#clock, this.#log, this.#closings);
    for (const { connect } of this.#branches) connect();
    this.#started = true;
    const feed = new SourceFeed({
      source: this.#assembly.source,
      camera: this.#pipeline.camera,
      ledger: sourceLedger,
      gate: this.#gate,
      pace,
      limit: this.#options.frames,
      onError: (error) => this.#fail(error),
      onFrame: (frame) => this.#push(frame, 'source'),
      onEnd: () => this.#watchTrunk(),
    });
    this.#feed = feed;
    if (signal?.aborted || this.#stopped) feed.stop();
    this.#trunk = operators
      .reduce((input, operator) => input.pipe(operator), feed.frames)
      .subscribe({
        next: (frame) => this.#fanOut(frame),
        error: (error) => {
          this.#fail(error as DepthlineError);
          void this.#drain();
        },
        complete: () => void this.#drain(),
      });
    if (this.#draining) this.#trunk.unsubscribe();
    if (signal?.aborted || this.#resultsOver) this.stop();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#feed?.stop();
    void sleep(this.#clock, this.#options.drainMs ?? defaultDrainMs, this.#abort.signal).then(() =>
      this.#giveUp(),
    );
  }

  /** Draining takes too long: ends what has not ended, and names operators that hold it up. */
  #giveUp(): void {
    if (this.#abort.signal.aborted) return;
    const { trunk } = this.#assembly;
    if (!this.#draining && trunk.every(({ inFlight }) => inFlight === 0)) {
      this.#log.warn(overdue(trunk));
    }
    for (const { branch } of this.#branches) branch.reportOverdue();
    this.abort();
  }

  abort(): void {
    if (this.#abort.signal.aborted) return;
    this.#stopped = true;
    for (const { branch } of this.#branches) branch.abort('stopped');
    this.#abort.abort();
    this.#feed?.stop();
    // Asynchronous operators have ended by the signal; others may never do.
    void this.#drain();
  }

  pause(): void {
    this.#gate.hold(paused);
  }

  resume(): void {
    this.#gate.release(paused);
  }

  nextFrame(signal: AbortSignal): Promise<Frame | undefined> {
    return this.#demand.next(signal);
  }

  adjust(next: AnyPipeline): PipelineChanges {
    if (hasCameras(next)) return { live: [], changed: [], restart: [nowCameras(next)] };
    return this.adjustTo(next);
  }

  adjustTo(pipeline: Pipeline): PipelineChanges {
    const changes = this.changesTo(pipeline);
    if (changes.restart.length > 0) return changes;
    this.#assembly.adjustments.make(changes.live);
    this.#pipeline = pipeline;
    if (changes.live.length > 0) this.#live.changed();
    return changes;
  }

  /** What `adjustTo` would change. */
  changesTo(pipeline: Pipeline): PipelineChanges {
    return pipelineChanges(this.#pipeline, pipeline);
  }

  /** The pipeline as it runs now. */
  get pipeline(): Pipeline {
    return this.#pipeline;
  }

  /** Its options that can change while it runs. */
  get live(): LiveOptions {
    return this.#live;
  }

  stats(): RunStats {
    return {
      captured: this.#assembly.sourceLedger.entered,
      processed: this.#processed,
      elapsedMs: this.#watch ? this.#clock.now() - this.#startedAt : 0,
      ending: this.#stopped || this.#feed?.over === true,
      paused: this.#gate.holders.includes(paused),
      heldBy: this.#gate.holders,
      stages: this.#watch?.look(this.#clock.now()) ?? [],
      branches: this.#branches.map(({ branch, stages }) => ({
        ...branchAccount(branch.name, stages),
        ageMs: branch.lastAgeMs,
      })),
    };
  }

  get #branches(): readonly AssembledBranch[] {
    return this.#assembly.branches;
  }

  /** Nobody takes results any more: a record of the source alone does not keep a run going. */
  get #resultsOver(): boolean {
    return this.#branches.every(({ branch, takes }) => takes === 'source' || branch.over);
  }

  #fanOut(frame: Frame): void {
    this.#lastAt = this.#clock.now();
    if (this.#processed++ === 0) this.#firstAt = this.#lastAt;
    this.#options.onFrame?.(frame, undefined);
    this.#demand.give(frame);
    this.#push(frame, undefined);
  }

  #push(frame: Frame, from: 'source' | undefined): void {
    for (const { branch, takes } of this.#branches) if (takes === from) branch.push(frame);
  }

  #onBranchEnd({ ends, error }: BranchEnd): void {
    if (error) this.#fail(error);
    if (!this.#started) return;
    if (ends === 'run' || this.#resultsOver) this.stop();
  }

  #fail(error: DepthlineError): void {
    this.#error ??= error;
  }

  /** The source has ended: makes sure that the operators end, too. */
  #watchTrunk(): void {
    if (this.#draining) return;
    const { trunk } = this.#assembly;
    this.#trunkWatch = new EndWatch({
      clock: this.#clock,
      patienceMs: () => this.#patienceMs(trunk),
      progress: () => {
        if (trunk.some(({ inFlight }) => inFlight > 0)) return undefined;
        return trunk.reduce((sum, { entered, left }) => sum + entered + left, 0);
      },
      onOverdue: () => {
        this.#log.warn(overdue(trunk));
        void this.#drain();
      },
    });
  }

  /** How long operators may take to complete after their input while nothing happens. */
  #patienceMs(stages: readonly StageLedger[]): number {
    const drainMs = Math.max(leastPatienceMs, this.#options.drainMs ?? defaultDrainMs);
    const asked = this.#stopped || this.#feed?.limitReached === true;
    const holding = stages.some(({ unexplained }) => unexplained > 0);
    return asked || !holding ? drainMs : Math.max(drainMs, holdingPatienceMs);
  }

  async #drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#feed?.stop();
    this.#trunkWatch?.stop();
    this.#trunk?.unsubscribe();
    this.#demand.end();
    // A branch that ends the run in the middle of a fan-out must not keep its frame from the others.
    await Promise.resolve();
    for (const { branch } of this.#branches) branch.end();
    await Promise.all(this.#branches.map(({ branch }) => branch.finished));
    const { reports } = this.#assembly;
    const components = componentReports(reports, (error) => this.#fail(error));
    const elapsedMs = this.#clock.now() - this.#startedAt;
    // Operators that dropped what they held when they were aborted have said so by now.
    this.#abort.abort();
    const failures = await this.#closings.run();
    for (const failure of failures) this.#fail(located(failure, 'SINK', 'closing'));
    const violations = violationsOf(this.#branches);
    if (violations.length > 0) this.#fail(unaccounted(violations));
    this.#resolve({
      pipeline: this.#pipeline.name,
      captured: this.#assembly.sourceLedger.entered,
      ...resultsOf(this.#branches),
      fps: this.#fps(),
      elapsedMs,
      restarts: restartsOf(this.#assembly),
      components,
      violations,
      ...(this.#error && { error: this.#error }),
    });
  }

  #fps(): number {
    const span = (this.#lastAt - this.#firstAt) / 1000;
    return span > 0 ? (this.#processed - 1) / span : 0;
  }
}

function nowCameras({ cameras }: CameraPipelines): string {
  return `source: one → the cameras ${cameras.map(({ camera }) => camera).join(', ')}`;
}
