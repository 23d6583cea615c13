import { Observable, type Subscription } from 'rxjs';
import { type Clock, sleep, systemClock } from '../core/clock.ts';
import type { Logger } from '../core/component.ts';
import { type DepthlineError, located } from '../core/errors.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import { durationText } from '../core/units.ts';
import { unlessAborted } from '../core/unless-aborted.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { type AssembledBranch, Assembly } from './assembly.ts';
import type { BranchEnd } from './branch.ts';
import { Closings } from './closings.ts';
import { LatencyRecorder } from './latency.ts';
import { branchAccount } from './ledger.ts';
import type { Run, RunOptions, RunStats, RunSummary } from './run-handle.ts';
import { StageWatch, watchedStages } from './stage-watch.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} };
const defaultDrainMs = 1500;
/** Holds the gate while no sink wants frames; `source waits for a subscriber`. */
const nobody = 'a subscriber';

/**
 * Builds, runs, drains and closes a pipeline.
 *
 * @returns the summary with the ledger
 * @throws DepthlineError if it cannot be built, or failed while running
 */
export async function runPipeline(
  pipeline: Pipeline,
  options: RunOptions = {},
): Promise<RunSummary> {
  const run = await startPipeline(pipeline, options);
  const summary = await run.done;
  if (summary.error) throw summary.error;
  return summary;
}

/**
 * Builds every component (models load, sockets bind, files open), then starts the source.
 *
 * @throws DepthlineError if a component cannot be built, or the reason of `options.signal` if that
 *   aborts before all are; what was already open is closed
 */
export async function startPipeline(pipeline: Pipeline, options: RunOptions = {}): Promise<Run> {
  const running = new Running(pipeline, options);
  await running.build();
  running.start();
  return running;
}

class Running implements Run {
  readonly done: Promise<RunSummary>;
  readonly #pipeline: Pipeline;
  readonly #options: RunOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #gate = new Gate();
  readonly #closings = new Closings();
  readonly #abort = new AbortController();
  readonly #assembly: Assembly;
  #watch: StageWatch | undefined;
  #stopSource: (() => void) | undefined;
  #stopped = false;
  #error: DepthlineError | undefined;
  #resolve!: (summary: RunSummary) => void;
  #startedAt = 0;
  #firstAt = 0;
  #lastAt = 0;
  #processed = 0;

  constructor(pipeline: Pipeline, options: RunOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silent;
    this.#assembly = new Assembly({
      pipeline,
      clock: this.#clock,
      log: this.#log,
      gate: this.#gate,
      closings: this.#closings,
      signal: this.#abort.signal,
      listener: options.listener,
      onFailure: (error) => {
        this.#fail(error);
        this.stop();
      },
      onBranchEnd: (end) => this.#onBranchEnd(end),
      onWanted: () => this.#heedDemand(),
    });
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  async build(): Promise<void> {
    try {
      await unlessAborted(this.#assembly.build(), this.#options.signal);
      this.#heedDemand();
    } catch (error) {
      // A component that is still opening gives up, or is closed when it is open.
      this.#abort.abort();
      await this.#closings.run();
      throw error;
    }
  }

  start(): void {
    this.#startedAt = this.#clock.now();
    // A branch's stages begin with those that all branches share.
    const { sourceLedger, trunk, operators } = this.#assembly;
    const own = this.#branches.map(({ stages }) => stages.slice(1 + trunk.length));
    const watched = watchedStages(sourceLedger, trunk, own);
    this.#watch = new StageWatch(watched, this.#gate, this.#startedAt);
    const { signal, durationMs } = this.#options;
    const stop = () => this.stop();
    if (signal) {
      signal.addEventListener('abort', stop, { once: true });
      this.#closings.add(() => signal.removeEventListener('abort', stop));
    }
    if (durationMs !== undefined) this.#closings.add(this.#clock.after(durationMs, stop));
    this.#reportSteps();
    const stream = operators.reduce((input, operator) => input.pipe(operator), this.#input());
    stream.subscribe({
      next: (frame) => this.#fanOut(frame),
      error: (error) => {
        this.#fail(error as DepthlineError);
        void this.#drain();
      },
      complete: () => void this.#drain(),
    });
    if (signal?.aborted) this.stop();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopSource?.();
    void sleep(this.#clock, this.#options.drainMs ?? defaultDrainMs, this.#abort.signal).then(() =>
      this.abort(),
    );
  }

  abort(): void {
    if (this.#abort.signal.aborted) return;
    this.#stopped = true;
    for (const { branch } of this.#branches) branch.abort('stopped');
    this.#abort.abort();
    this.#stopSource?.();
  }

  stats(): RunStats {
    return {
      captured: this.#assembly.sourceLedger.entered,
      processed: this.#processed,
      elapsedMs: this.#clock.now() - this.#startedAt,
      heldBy: this.#gate.holders,
      stages: this.#watch?.look(this.#clock.now()) ?? [],
      branches: this.#branches.map(({ branch, stages }) => ({
        ...branchAccount(branch.name, stages),
        ageMs: branch.lastAgeMs,
      })),
    };
  }

  #reportSteps(): void {
    const report = (jumpMs: number) => {
      const how = `${jumpMs > 0 ? 'forward' : 'back'} by ${durationText(Math.abs(jumpMs))}`;
      this.#log.warn(
        `the system clock was set ${how}; timestamps follow it, ages are not affected`,
      );
    };
    const end = this.#clock.onStep?.(report);
    if (end) this.#closings.add(end);
  }

  /** The source as the operators see it: counted, checked, and ended by `stop()`. */
  #input(): Observable<Frame> {
    const ledger = this.#assembly.sourceLedger;
    const { frames } = this.#options;
    return new Observable((subscriber) => {
      let subscription: Subscription | undefined;
      let over = false;
      const end = () => {
        over = true;
        subscription?.unsubscribe();
        subscriber.complete();
      };
      this.#stopSource = end;
      const fail = (error: unknown) => {
        this.#fail(located(error, 'SOURCE', `source ${ledger.name}`));
        end();
      };
      subscription = this.#assembly.source.subscribe({
        next: (frame) => {
          if (over) return;
          const problem = frameProblem(frame);
          if (problem !== undefined) {
            fail(new Error(`emitted ${problem}; a source must emit frames`));
            return;
          }
          ledger.entered++;
          ledger.left++;
          subscriber.next(frame);
          if (ledger.left === frames) end();
        },
        error: fail,
        complete: () => subscriber.complete(),
      });
      if (over || this.#stopped) end();
      return () => subscription.unsubscribe();
    });
  }

  get #branches(): readonly AssembledBranch[] {
    return this.#assembly.branches;
  }

  #fanOut(frame: Frame): void {
    this.#lastAt = this.#clock.now();
    if (this.#processed++ === 0) this.#firstAt = this.#lastAt;
    for (const { branch } of this.#branches) branch.push(frame);
  }

  #onBranchEnd({ ends, error }: BranchEnd): void {
    if (error) this.#fail(error);
    if (ends === 'run' || this.#branches.every(({ branch }) => branch.over)) this.stop();
  }

  #heedDemand(): void {
    const left = this.#branches.filter(({ branch }) => !branch.over);
    const idle = left.length > 0 && left.every(({ branch }) => !branch.wanted);
    if (idle) this.#gate.hold(nobody);
    else this.#gate.release(nobody);
  }

  #fail(error: DepthlineError): void {
    this.#error ??= error;
  }

  async #drain(): Promise<void> {
    // A branch that ends the run in the middle of a fan-out must not keep its frame from the others.
    await Promise.resolve();
    for (const { branch } of this.#branches) branch.end();
    await Promise.all(this.#branches.map(({ branch }) => branch.finished));
    const components = this.#collectReports();
    const elapsedMs = this.#clock.now() - this.#startedAt;
    // Operators that dropped what they held when they were aborted have said so by now.
    this.#abort.abort();
    const failures = await this.#closings.run();
    for (const failure of failures) this.#fail(located(failure, 'SINK', 'closing'));
    this.#resolve(this.#summary(components, elapsedMs));
  }

  #collectReports(): Record<string, Record<string, unknown>> {
    const components: Record<string, Record<string, unknown>> = {};
    for (const { name, report } of this.#assembly.reports) {
      components[name] = { ...components[name], ...report() };
    }
    return components;
  }

  #summary(components: Record<string, Record<string, unknown>>, elapsedMs: number): RunSummary {
    const all = new LatencyRecorder();
    for (const { branch } of this.#branches) all.add(branch.latency);
    const span = (this.#lastAt - this.#firstAt) / 1000;
    return {
      pipeline: this.#pipeline.name,
      captured: this.#assembly.sourceLedger.entered,
      branches: this.#branches.map(({ branch, stages }) => ({
        ...branchAccount(branch.name, stages),
        latencyMs: branch.latency.percentiles(),
      })),
      fps: span > 0 ? (this.#processed - 1) / span : 0,
      latencyMs: all.percentiles(),
      elapsedMs,
      restarts: this.#assembly.stages
        .filter((stage) => stage.restarts > 0)
        .map((stage) => ({ stage: stage.name, count: stage.restarts })),
      components,
      ...(this.#error && { error: this.#error }),
    };
  }
}
