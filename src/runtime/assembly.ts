import { setTimeout as sleep } from 'node:timers/promises';
import { EMPTY, type Observable, type OperatorFunction } from 'rxjs';
import { bindContext } from '../core/async-operator.ts';
import { readerOf, type StreamReader } from '../core/capture-stream.ts';
import type { Clock } from '../core/clock.ts';
import type { OperatorDefinition, Sink, SinkDefinition } from '../core/component.ts';
import type { ComponentContext, Logger } from '../core/component-context.ts';
import { DepthlineError, located } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import type { Gate } from '../core/gate.ts';
import type { LiveOptions } from '../core/live-options.ts';
import type { RunStats } from '../core/run-stats.ts';
import type { Size } from '../core/size.ts';
import { arrivingFrames } from '../pipeline/arriving-frames.ts';
import { type FusedPlan, planFusion } from '../pipeline/fuse-plan.ts';
import type { Bound, BranchStep, OperatorStep, Pipeline } from '../pipeline/pipeline.ts';
import { Adjustments } from './adjustments.ts';
import { Branch, type BranchEnd } from './branch.ts';
import type { Closings } from './closings.ts';
import { componentLog } from './component-log.ts';
import type { ComponentReport } from './component-report.ts';
import { created } from './created.ts';
import type { FrameObserver } from './frame-observer.ts';
import { StageLedger } from './ledger.ts';
import type { RunOptions } from './run-handle.ts';
import type { Shared } from './shared.ts';
import { ledgered } from './stage.ts';
import type { StageListener } from './stage-times.ts';

/** How long sinks wait for a model to be handed to its thread, milliseconds. */
const startMs = 40;

/** What a run gives to everything that is built for it. */
export interface AssemblyParts {
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly log: Logger;
  /** The pipeline's gate. */
  readonly gate: Gate;
  readonly closings: Closings;
  /** Aborts when the run must stop at once. */
  readonly signal: AbortSignal;
  readonly listener?: StageListener | undefined;
  readonly observer?: FrameObserver | undefined;
  readonly onFrame?: RunOptions['onFrame'] | undefined;
  /** How long operators may take to complete after their input; milliseconds. */
  patienceMs(stages: readonly StageLedger[]): number;
  /** A branch has failed, and the run with it. */
  onFailure(error: DepthlineError): void;
  /** A branch has ended of its own accord. */
  onBranchEnd(end: BranchEnd): void;
  /** A sink has begun or ceased to want frames. */
  onWanted(): void;
  /** Statistics of the run so far. */
  stats(): RunStats;
  /** Options that can change while it runs. */
  readonly live: LiveOptions;
  /** What it uses together with the other cameras of the run. */
  readonly shared?: Shared | undefined;
}

/** A branch, and the ledgers of all stages from the source to its sink. */
export interface AssembledBranch {
  readonly branch: Branch;
  /** Its frames are those of the source; default: what the operators make of them. */
  readonly takes?: 'source' | undefined;
  readonly stages: readonly StageLedger[];
  /** Connects the branch's operators. */
  connect(): void;
}

interface BuiltBranch extends AssembledBranch {
  readonly step: BranchStep;
  readonly sink: Sink;
}

/** A branch that is to be built, with the ledgers of its queue, its sink and its operators. */
interface LedgeredStep {
  readonly step: BranchStep;
  readonly queueLedger: StageLedger;
  readonly sinkLedger: StageLedger;
  readonly ledgers: readonly StageLedger[];
}

/**
 * The parts of a pipeline, made and connected but for its source and its first operator: every
 * component with its context and its ledger.
 */
export class Assembly {
  readonly sourceLedger: StageLedger;
  source: Observable<Frame> = EMPTY;
  /** The operators that all branches share, each with its ledger around it. */
  readonly operators: OperatorFunction<Frame, Frame>[] = [];
  /** The ledgers of those operators. */
  readonly trunk: StageLedger[] = [];
  readonly branches: AssembledBranch[] = [];
  readonly stages: StageLedger[] = [];
  readonly reports: ComponentReport[] = [];
  /** Takes changes of the options and queues of what was built. */
  readonly adjustments = new Adjustments();
  /** Resolves when no component is opening any more, also after one could not be built. */
  settled: Promise<unknown> = Promise.resolve();
  /** Sizes of their frames that operators have told, by their paths. */
  readonly #sizes = new Map<string, Size>();
  readonly #parts: AssemblyParts;
  /** Reads the source's frames, where the operator behind it does. */
  #reader: StreamReader | undefined;

  constructor(parts: AssemblyParts) {
    this.#parts = parts;
    this.sourceLedger = this.#stage(parts.pipeline.source.definition.name);
  }

  /**
   * Builds every component: models load, sockets bind, files open.
   *
   * @throws DepthlineError if one cannot be built; what is open is in the closings
   */
  async build(): Promise<void> {
    // All ledgers first: the names of stages do not depend on what is built sooner.
    const steps = this.#branchSteps();
    // At the same time, since models load for long; the source is subscribed to when all are there. To load a
    // sink's library keeps this thread busy: what takes longest has been started by then, in another thread.
    const plan = planFusion(this.#parts.pipeline);
    const source = plan.then((found) => this.#buildSource(found));
    const trunk = plan.then((found) => this.#buildTrunk(found));
    const started = Promise.race([source.then(() => trunk), sleep(startMs)]);
    const branches = started.then(() => this.#buildBranches(steps));
    const all = [branches, trunk, source] as const;
    this.settled = Promise.allSettled(all);
    const [built] = await Promise.all(all);
    if (built.length === 0) {
      throw new DepthlineError('SINK', 'no sink is left to run; every one was skipped');
    }
    this.#tellSinks(await plan, built);
    for (const { stages: own, step: _, sink: __, ...branch } of built) {
      const trunk = branch.takes === 'source' ? [] : this.trunk;
      this.branches.push({ ...branch, stages: [this.sourceLedger, ...trunk, ...own] });
    }
  }

  #branchSteps(): LedgeredStep[] {
    return this.#parts.pipeline.branches.map((step) => ({
      step,
      queueLedger: this.#stage(`${step.name} queue`),
      sinkLedger: this.#stage(step.name),
      ledgers: step.operators.map(({ name }) => this.#stage(`${step.name} ${name}`, true)),
    }));
  }

  async #buildBranches(steps: readonly LedgeredStep[]): Promise<BuiltBranch[]> {
    const built: BuiltBranch[] = [];
    for (const each of steps) {
      const branch = await this.#buildBranch(each);
      if (branch) built.push(branch);
    }
    return built;
  }

  /** A sink that can write none of the frames refuses them now, and not at the first. */
  #tellSinks(plan: FusedPlan, built: readonly BuiltBranch[]): void {
    for (const { step, sink } of built) {
      try {
        sink.expect?.(arrivingFrames(this.#parts.pipeline, plan, step, this.#sizes));
      } catch (error) {
        throw located(error, 'SINK', step.path);
      }
    }
  }

  async #buildTrunk({ operators, direct }: FusedPlan): Promise<void> {
    const { gate, pipeline, shared } = this.#parts;
    // Whoever takes the source's own frames takes their pictures. A model that several cameras share
    // takes their frames in turn, and waits in none of their streams.
    const alone = !shared && pipeline.branches.every(({ takes }) => takes !== 'source');
    const ledgers = operators.map((step) => this.#stage(step.name, true));
    this.trunk.push(...ledgers);
    for (const [i, step] of operators.entries()) {
      const extra =
        i === 0 && direct && alone
          ? { direct: { pictureUsed: this.#usesPicture(operators.slice(1)) } }
          : {};
      this.operators.push(await this.#buildOperator(step, ledgers[i] as StageLedger, gate, extra));
    }
  }

  /** True if anything behind the trunk's first operator may look at the picture beside depth. */
  #usesPicture(behind: readonly OperatorStep[]): boolean {
    const { pipeline, onFrame } = this.#parts;
    const uses = (one: Bound<OperatorDefinition | SinkDefinition> | undefined) =>
      one?.definition.usesPicture?.(one.options) ?? true;
    const inBranch = ({ operators, sink }: BranchStep) =>
      uses(sink) || operators.some(({ component }) => uses(component));
    return (
      onFrame !== undefined ||
      behind.some(({ component }) => uses(component)) ||
      pipeline.branches.some(inBranch)
    );
  }

  async #buildSource(plan: FusedPlan): Promise<void> {
    const { definition, options } = this.#parts.pipeline.source;
    const ledger = this.sourceLedger;
    const path = `source ${definition.name}`;
    const context = this.#context(definition.name, path, ledger, this.#parts.gate, {
      fused: plan.fused,
      reader: () => this.#reader,
      dropped(n, why) {
        // Lost before we had them: captured by the camera all the same.
        ledger.entered += n;
        ledger.drop(n, why);
      },
    });
    this.source = await created(() => definition.create(options, context), 'SOURCE', path);
  }

  async #buildOperator(
    step: OperatorStep,
    ledger: StageLedger,
    gate: Gate,
    extra: Partial<ComponentContext> = {},
  ): Promise<OperatorFunction<Frame, Frame>> {
    const { queue } = step;
    const context = this.#context(ledger.name, step.path, ledger, gate, { queue, ...extra });
    const operator = step.operator ?? (await this.#createOperator(step, context));
    if (extra.direct) this.#reader = readerOf(operator);
    const { clock, listener, observer } = this.#parts;
    const parts = { ledger, path: step.path, gate, clock, listener, observer };
    return ledgered(bindContext(operator, context), parts);
  }

  #createOperator(
    step: OperatorStep,
    context: ComponentContext,
  ): Promise<OperatorFunction<Frame, Frame>> {
    const { definition, options } = step.component as NonNullable<OperatorStep['component']>;
    return created(() => definition.create(options, context), 'OPERATOR', step.path);
  }

  /** The branch with its own ledgers; nothing if its sink cannot work here and has said so. */
  async #buildBranch({
    step,
    queueLedger,
    sinkLedger,
    ledgers,
  }: LedgeredStep): Promise<BuiltBranch | undefined> {
    const {
      clock,
      gate,
      listener,
      observer,
      onFrame,
      patienceMs,
      onFailure,
      onBranchEnd,
      onWanted,
    } = this.#parts;
    const context = this.#context(step.name, step.path, sinkLedger, gate, { queue: step.queue });
    const sink = await this.#createSink(step, context);
    if (!sink) {
      this.adjustments.skip(step.path);
      return undefined;
    }
    const { name, path, queue, onError } = step;
    const branch = new Branch({
      ...{ name, path, queue, onError, sink, context, gate, clock, queueLedger, sinkLedger },
      ...{ listener, observer, onFrame, patienceMs, onWanted, onFailure, onEnded: onBranchEnd },
    });
    const operators: OperatorFunction<Frame, Frame>[] = [];
    for (const [i, operator] of step.operators.entries()) {
      operators.push(await this.#buildOperator(operator, ledgers[i] as StageLedger, branch.gate));
    }
    return {
      ...{ step, sink, branch },
      takes: step.takes,
      stages: [queueLedger, ...ledgers, sinkLedger],
      connect: () => branch.connect(operators, ledgers),
    };
  }

  #createSink(step: BranchStep, context: ComponentContext): Promise<Sink | undefined> {
    const { definition, options } = step.sink;
    const { shared, pipeline } = this.#parts;
    const create =
      shared && definition.shared
        ? () => shared.sink(step, pipeline.camera as string, context.signal)
        : () => definition.create(options, context);
    return created(create, 'SINK', step.path);
  }

  /** A ledger with a name that no other stage of this pipeline has. */
  #stage(name: string, isOperator = false): StageLedger {
    const same = this.stages.filter((stage) => stage.name.replace(/ #\d+$/, '') === name).length;
    const ledger = new StageLedger(same === 0 ? name : `${name} #${same + 1}`, isOperator);
    this.stages.push(ledger);
    return ledger;
  }

  #context(
    name: string,
    path: string,
    ledger: StageLedger,
    gate: Gate,
    extra: Partial<ComponentContext>,
  ): ComponentContext {
    const { pipeline, clock, log, signal, closings, stats, live, shared } = this.#parts;
    // Nothing more is opened once the run was stopped.
    signal.throwIfAborted();
    const context: ComponentContext = {
      name,
      path,
      signal,
      clock,
      gate,
      queue: { limit: 1, whenFull: 'block' },
      onAdjust: (take) => this.adjustments.onAdjust(path, take),
      onQueue: (take) => this.adjustments.onQueue(path, take),
      fused: [],
      baseDirectory: pipeline.baseDirectory,
      log: componentLog(log, name),
      dropped: (n, why) => ledger.drop(n, why),
      failed: (n) => {
        ledger.failed += n;
      },
      undelivered: (n) => {
        // A write that the run did not wait for was not counted as delivered.
        const taken = Math.min(n, ledger.left);
        ledger.left -= taken;
        ledger.failed += taken;
      },
      inFlight: (n, queued) => {
        ledger.inFlight = n;
        ledger.queued = queued;
      },
      gives: (size) => void this.#sizes.set(path, size),
      restarted: () => {
        ledger.restarts++;
      },
      reconnecting: (since) => {
        ledger.reconnectingSince = since;
      },
      defer: (cleanup) => closings.add(cleanup),
      summary: (report) => this.reports.push({ name: ledger.name, report }),
      runStats: stats,
      live,
      share: (key, open) => (shared ? shared.share(key, name, open) : open(context)),
      ...extra,
    };
    return context;
  }
}
