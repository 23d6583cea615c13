import { EMPTY, Observable, type OperatorFunction, type Subscription } from 'rxjs';
import { bindContext } from '../core/async-operator.ts';
import { type Clock, sleep, systemClock } from '../core/clock.ts';
import type { ComponentContext, Logger } from '../core/component.ts';
import { DepthlineError, located } from '../core/errors.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import { applyFusion, type FusedPlan } from '../pipeline/fuse-plan.ts';
import type { BranchStep, OperatorStep, Pipeline } from '../pipeline/pipeline.ts';
import { Branch } from './branch.ts';
import { Closings } from './closings.ts';
import { LatencyRecorder } from './latency.ts';
import { branchAccount, StageLedger } from './ledger.ts';
import type { Run, RunOptions, RunStats, RunSummary } from './run.ts';
import { ledgered } from './stage.ts';
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
 * @throws DepthlineError if a component cannot be built; what was already open is closed
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
  readonly #reports: { name: string; report: () => Record<string, unknown> }[] = [];
  readonly #stages: StageLedger[] = [];
  readonly #trunk: StageLedger[] = [];
  readonly #branches: { branch: Branch; stages: StageLedger[] }[] = [];
  readonly #sourceLedger: StageLedger;
  #watch: StageWatch | undefined;
  #source: Observable<Frame> = EMPTY;
  #operators: OperatorFunction<Frame, Frame>[] = [];
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
    this.#sourceLedger = this.#stage(pipeline.source.definition.name);
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  async build(): Promise<void> {
    try {
      // From the far end, so that everything is ready when the source opens the camera.
      for (const step of this.#pipeline.branches) await this.#buildBranch(step);
      if (this.#branches.length === 0) {
        throw new DepthlineError('SINK', 'no sink is left to run; every one was skipped');
      }
      const plan = await applyFusion(this.#pipeline);
      for (const step of plan.operators) {
        const ledger = this.#stage(step.name);
        this.#trunk.push(ledger);
        this.#operators.push(await this.#buildOperator(step, ledger, this.#gate));
      }
      for (const { stages } of this.#branches) stages.unshift(this.#sourceLedger, ...this.#trunk);
      this.#heedDemand();
      await this.#buildSource(plan);
    } catch (error) {
      await this.#closings.run();
      throw error;
    }
  }

  start(): void {
    this.#startedAt = this.#clock.now();
    // A branch's stages begin with those that all branches share.
    const own = this.#branches.map(({ stages }) => stages.slice(1 + this.#trunk.length));
    const watched = watchedStages(this.#sourceLedger, this.#trunk, own);
    this.#watch = new StageWatch(watched, this.#gate, this.#startedAt);
    const { signal, durationMs } = this.#options;
    const stop = () => this.stop();
    if (signal) {
      signal.addEventListener('abort', stop, { once: true });
      this.#closings.add(() => signal.removeEventListener('abort', stop));
    }
    if (durationMs !== undefined) this.#closings.add(this.#clock.after(durationMs, stop));
    const stream = this.#operators.reduce((input, operator) => input.pipe(operator), this.#input());
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
      captured: this.#sourceLedger.entered,
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

  /** The source as the operators see it: counted, checked, and ended by `stop()`. */
  #input(): Observable<Frame> {
    const ledger = this.#sourceLedger;
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
      subscription = this.#source.subscribe({
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

  #fanOut(frame: Frame): void {
    this.#lastAt = this.#clock.now();
    if (this.#processed++ === 0) this.#firstAt = this.#lastAt;
    for (const { branch } of this.#branches) branch.push(frame);
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
    for (const { name, report } of this.#reports) {
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
      captured: this.#sourceLedger.entered,
      branches: this.#branches.map(({ branch, stages }) => ({
        ...branchAccount(branch.name, stages),
        latencyMs: branch.latency.percentiles(),
      })),
      fps: span > 0 ? (this.#processed - 1) / span : 0,
      latencyMs: all.percentiles(),
      elapsedMs,
      restarts: this.#stages
        .filter((stage) => stage.restarts > 0)
        .map((stage) => ({ stage: stage.name, count: stage.restarts })),
      components,
      ...(this.#error && { error: this.#error }),
    };
  }

  async #buildSource(plan: FusedPlan): Promise<void> {
    const { definition, options } = this.#pipeline.source;
    const ledger = this.#sourceLedger;
    const path = `source ${definition.name}`;
    const context = this.#context(definition.name, path, ledger, this.#gate, {
      fused: plan.fused,
      dropped(n, why) {
        // Lost before we had them: captured by the camera all the same.
        ledger.entered += n;
        ledger.drop(n, why);
      },
    });
    this.#source = await definition.create(options, context).catch((error: unknown) => {
      throw located(error, 'SOURCE', path);
    });
  }

  async #buildOperator(
    step: OperatorStep,
    ledger: StageLedger,
    gate: Gate,
  ): Promise<OperatorFunction<Frame, Frame>> {
    const context = this.#context(ledger.name, step.path, ledger, gate, { queue: step.queue });
    const { listener } = this.#options;
    if (step.operator)
      return ledgered(bindContext(step.operator, context), ledger, step.path, listener);
    const { definition, options } = step.component as NonNullable<OperatorStep['component']>;
    const operator = await definition.create(options, context).catch((error: unknown) => {
      throw located(error, 'OPERATOR', step.path);
    });
    return ledgered(bindContext(operator, context), ledger, step.path, listener);
  }

  async #buildBranch(step: BranchStep): Promise<void> {
    const queueLedger = this.#stage(`${step.name} queue`);
    const sinkLedger = this.#stage(step.name);
    const context = this.#context(step.name, step.path, sinkLedger, this.#gate, {
      queue: step.queue,
    });
    const { definition, options } = step.sink;
    const sink = await definition.create(options, context).catch((error: unknown) => {
      throw located(error, 'SINK', step.path);
    });
    if (!sink) return;
    const branch = new Branch(
      {
        name: step.name,
        path: step.path,
        sink,
        context,
        queue: step.queue,
        onError: step.onError,
        gate: this.#gate,
        clock: this.#clock,
        queueLedger,
        sinkLedger,
        listener: this.#options.listener,
        onWanted: () => this.#heedDemand(),
      },
      (error) => {
        this.#fail(error);
        this.stop();
      },
      ({ ends, error }) => {
        if (error) this.#fail(error);
        if (ends === 'run' || this.#branches.every((other) => other.branch.over)) this.stop();
      },
    );
    const operators: OperatorFunction<Frame, Frame>[] = [];
    const stages = [queueLedger];
    for (const operator of step.operators) {
      const ledger = this.#stage(`${step.name} ${operator.name}`);
      stages.push(ledger);
      operators.push(await this.#buildOperator(operator, ledger, branch.gate));
    }
    stages.push(sinkLedger);
    branch.connect(operators);
    this.#branches.push({ branch, stages });
  }

  /** A ledger with a name that no other stage of this pipeline has. */
  #stage(name: string): StageLedger {
    const same = this.#stages.filter((stage) => stage.name.replace(/ #\d+$/, '') === name).length;
    const ledger = new StageLedger(same === 0 ? name : `${name} #${same + 1}`);
    this.#stages.push(ledger);
    return ledger;
  }

  #context(
    name: string,
    path: string,
    ledger: StageLedger,
    gate: Gate,
    extra: Partial<ComponentContext>,
  ): ComponentContext {
    const log = this.#log;
    return {
      name,
      path,
      signal: this.#abort.signal,
      clock: this.#clock,
      gate,
      queue: { limit: 1, whenFull: 'block' },
      fused: [],
      baseDirectory: this.#pipeline.baseDirectory,
      log: {
        debug: (message) => log.debug(`${name}: ${message}`),
        info: (message) => log.info(`${name}: ${message}`),
        warn: (message) => log.warn(`${name}: ${message}`),
      },
      dropped: (n, why) => ledger.drop(n, why),
      failed: (n) => {
        ledger.failed += n;
      },
      inFlight: (n) => {
        ledger.inFlight = n;
      },
      restarted: () => {
        ledger.restarts++;
      },
      defer: (cleanup) => this.#closings.add(cleanup),
      summary: (report) => this.#reports.push({ name: ledger.name, report }),
      ...extra,
    };
  }
}
