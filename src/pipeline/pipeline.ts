import type { OperatorFunction } from 'rxjs';
import { isAsyncOperator } from '../core/async-operator.ts';
import type {
  Definition,
  OperatorDefinition,
  SinkDefinition,
  SourceDefinition,
  Use,
} from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import {
  formatPath,
  formatProblem,
  type ValueProblem,
  valueProblems,
} from '../core/option-problems.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { isDefinition } from '../core/registry.ts';
import { noteSecrets } from '../core/secrets.ts';
import { kindProblems } from './frame-kinds.ts';
import { pathConflicts } from './path-conflicts.ts';

/** A pipeline composed in code. */
export interface PipelineInput {
  readonly name?: string;
  readonly description?: string;
  readonly source: Use<'source'>;
  /** Components, and RxJS operators on frames. */
  readonly operators?: readonly OperatorInput[];
  readonly sinks: readonly (Use<'sink'> | BranchInput)[];
  /** Base directory of relative paths in options; default: the working directory. */
  readonly baseDirectory?: string;
}

/** An operator of a pipeline composed in code: a component, an RxJS operator, or a component with its queue. */
export type OperatorInput =
  | Use<'operator'>
  | OperatorFunction<Frame, Frame>
  | { readonly operator: Use<'operator'>; readonly queue?: Partial<QueueOptions> };

/** What follows when a write fails: the run ends, the frame counts as failed, or the write is repeated. */
export type OnError = 'fail' | 'skip' | 'retry';

/** A sink of a pipeline composed in code, with what stands in front of it. */
export interface BranchInput {
  /** Name in the ledger; default: the name of the sink, numbered if it is not unique. */
  readonly name?: string;
  readonly sink: Use<'sink'>;
  readonly queue?: Partial<QueueOptions>;
  readonly operators?: readonly OperatorInput[];
  /** When a write fails: end the run, count the frame as failed, or try again. Default `fail`. */
  readonly onError?: OnError;
}

/** A component with checked options. */
export interface Bound<D extends Definition> {
  readonly definition: D;
  readonly options: unknown;
}

/** An operator's place in a checked pipeline. */
export interface OperatorStep {
  /** For messages and the ledger: `operators[1] smooth`. */
  readonly path: string;
  readonly name: string;
  readonly queue: QueueOptions;
  readonly component?: Bound<OperatorDefinition>;
  /** A user's RxJS operator instead of a component. */
  readonly operator?: OperatorFunction<Frame, Frame>;
}

/** A branch’s place in a checked pipeline. */
export interface BranchStep {
  readonly path: string;
  readonly name: string;
  readonly sink: Bound<SinkDefinition>;
  readonly queue: QueueOptions;
  readonly operators: readonly OperatorStep[];
  readonly onError: OnError;
}

/** A checked pipeline, ready to run. */
export interface Pipeline {
  readonly name: string;
  readonly description: string;
  readonly source: Bound<SourceDefinition>;
  readonly operators: readonly OperatorStep[];
  readonly branches: readonly BranchStep[];
  readonly baseDirectory: string;
}

/** A problem at a path into the pipeline (`['sinks', 0, 'file', 'directory']`). */
export type Problem = ValueProblem;

/** By default no frame is dropped. */
const defaultQueue: QueueOptions = { limit: 1, whenFull: 'block' };
/**
 * Between a live source and an operator. With `block` a waiting frame would be as old as the operator
 * is slow; a newer frame replaces it instead.
 */
const liveQueue: QueueOptions = { limit: 1, whenFull: 'drop-oldest' };

/**
 * Checks a pipeline composed in code.
 *
 * @throws DepthlineError `CONFIG` with every problem at once.
 */
export function definePipeline(input: PipelineInput): Pipeline {
  const problems: Problem[] = [];
  const pipeline = checkPipeline(input, problems);
  if (problems.length > 0 || !pipeline) {
    throw new DepthlineError('CONFIG', problems.map(formatProblem).join('\n'));
  }
  return pipeline;
}

/** A pipeline whose invalid parts are missing. */
export interface PartialInput extends Omit<PipelineInput, 'source' | 'operators' | 'sinks'> {
  /** Files that the pipeline is loaded from, absolute paths. */
  readonly files?: readonly string[];
  readonly source?: Use<'source'> | undefined;
  readonly operators?: readonly (OperatorInput | undefined)[];
  readonly sinks: readonly (Use<'sink'> | PartialBranch | undefined)[];
}

export interface PartialBranch extends Omit<BranchInput, 'operators'> {
  readonly operators?: readonly (OperatorInput | undefined)[];
}

/**
 * Like `definePipeline`, but collects problems; returns the pipeline only if there are none.
 *
 * @param known operators that a message may advise to use
 */
export function checkPipeline(
  input: PartialInput,
  problems: Problem[],
  known: readonly OperatorDefinition[] = [],
): Pipeline | undefined {
  const before = problems.length;
  const source =
    input.source && (bind(input.source, ['source'], problems) as Bound<SourceDefinition>);
  const queue = source && isLive(source) ? liveQueue : defaultQueue;
  const operators = checkOperators(input.operators ?? [], ['operators'], queue, problems);
  const branches = checkBranches(input.sinks, problems);
  if (problems.length > before || !source || !operators || !branches) return undefined;
  problems.push(...kindProblems({ source, operators, branches }, known));
  if (problems.length > before) return undefined;
  const pipeline: Pipeline = {
    name: input.name ?? 'pipeline',
    description: input.description ?? '',
    source,
    operators,
    branches,
    baseDirectory: input.baseDirectory ?? process.cwd(),
  };
  problems.push(...pathConflicts(pipeline, input.files));
  return problems.length > before ? undefined : pipeline;
}

function bind(
  use: Use,
  path: readonly (string | number)[],
  problems: Problem[],
): Bound<Definition> | undefined {
  noteSecrets(use.options);
  const result = use.definition.options.safeParse(use.options ?? {});
  if (result.success) return { definition: use.definition, options: result.data };
  for (const problem of valueProblems(use.definition.options, use.options ?? {})) {
    problems.push({ ...problem, path: [...path, use.definition.name, ...problem.path] });
  }
  return undefined;
}

function isLive({ definition, options }: Bound<SourceDefinition>): boolean {
  const { live = false } = definition;
  return typeof live === 'function' ? live(options) : live;
}

function checkOperators(
  inputs: readonly (OperatorInput | undefined)[],
  path: readonly (string | number)[],
  whereSilent: QueueOptions,
  problems: Problem[],
): OperatorStep[] | undefined {
  const steps: OperatorStep[] = [];
  for (const [index, input] of inputs.entries()) {
    const at = [...path, index];
    if (input === undefined) continue;
    if (isDefinition(input)) {
      problems.push({ path: at, message: `is "${input.name}" itself; call it with its options` });
      continue;
    }
    if (typeof input === 'function') {
      const name = input.name || (isAsyncOperator(input) ? 'mapAsync' : 'operator');
      steps.push({ path: label(at, name), name, queue: whereSilent, operator: input });
      continue;
    }
    const use = isUse(input) ? input : (input as { operator: Use<'operator'> }).operator;
    if (!isUse(use)) {
      problems.push({ path: at, message: 'is not an operator component or RxJS operator' });
      continue;
    }
    const component = bind(use, at, problems) as Bound<OperatorDefinition> | undefined;
    if (!component) continue;
    const { name } = component.definition;
    const queue = { ...whereSilent, ...('queue' in input ? input.queue : {}) };
    steps.push({ path: label(at, name), name, queue, component });
  }
  return steps.length === inputs.length ? steps : undefined;
}

function checkBranches(
  inputs: PartialInput['sinks'],
  problems: Problem[],
): BranchStep[] | undefined {
  if (inputs.length === 0) {
    problems.push({
      path: ['sinks'],
      message: 'needs at least one sink ("discard" only counts frames)',
    });
    return undefined;
  }
  const steps: BranchStep[] = [];
  const taken = new Set<string>();
  for (const [index, input] of inputs.entries()) {
    const at = ['sinks', index];
    if (input === undefined) continue;
    const branch: PartialBranch = isUse(input) ? { sink: input } : input;
    const sink = bind(branch.sink, at, problems) as Bound<SinkDefinition> | undefined;
    const operators = checkOperators(
      branch.operators ?? [],
      [...at, 'operators'],
      defaultQueue,
      problems,
    );
    if (branch.name !== undefined && taken.has(branch.name)) {
      problems.push({
        path: [...at, 'name'],
        message: `another sink is named "${branch.name}"; names must differ`,
      });
    }
    const name = branch.name ?? freeName(branch.sink.definition.name, taken);
    taken.add(name);
    if (!sink || !operators) continue;
    steps.push({
      path: label(at, sink.definition.name),
      name,
      sink,
      operators,
      queue: { ...defaultQueue, ...branch.queue },
      onError: branch.onError ?? 'fail',
    });
  }
  return steps.length === inputs.length ? steps : undefined;
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function isUse(value: unknown): value is Use {
  return typeof value === 'object' && value !== null && 'definition' in value && 'role' in value;
}

function label(path: readonly (string | number)[], name: string): string {
  return `${formatPath(path)} ${name}`;
}
