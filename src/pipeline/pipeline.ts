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
import { wrongSource } from '../core/nested-source.ts';
import {
  formatPath,
  formatProblem,
  type ValueProblem,
  valueProblems,
} from '../core/option-problems.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { isDefinition } from '../core/registry.ts';
import { noteSecrets } from '../core/secrets.ts';
import { claimConflicts } from './claim-conflicts.ts';
import { camerasOf, forCameras, withCamera } from './for-cameras.ts';
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
  | {
      readonly operator: Use<'operator'>;
      readonly queue?: Partial<QueueOptions>;
      /** Names of the cameras whose frames it takes, in a run of several; default: all. */
      readonly cameras?: readonly string[];
    };

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
  /** Names of the cameras whose frames it takes, in a run of several; default: all. */
  readonly cameras?: readonly string[];
}

/** A component with checked options. */
export interface Bound<D extends Definition> {
  readonly definition: D;
  readonly options: unknown;
  /** The options as the pipeline file has them; absent for a component that a command has added. */
  readonly given?: unknown;
}

/** An operator's place in a checked pipeline. */
export interface OperatorStep {
  /** For messages and the ledger: `operators[1] smooth`. */
  readonly path: string;
  /** Its place in the input: `['operators', 1]`. */
  readonly at: Path;
  readonly name: string;
  readonly queue: QueueOptions;
  readonly component?: Bound<OperatorDefinition>;
  /** A user's RxJS operator instead of a component. */
  readonly operator?: OperatorFunction<Frame, Frame>;
}

/** A branch’s place in a checked pipeline. */
export interface BranchStep {
  readonly path: string;
  /** Its place in the input: `['sinks', 0]`. */
  readonly at: Path;
  readonly name: string;
  readonly sink: Bound<SinkDefinition>;
  readonly queue: QueueOptions;
  readonly operators: readonly OperatorStep[];
  readonly onError: OnError;
  /** Where its frames come from: behind all operators (default), or the source before them. */
  readonly takes?: 'source';
}

/** A checked pipeline, ready to run. */
export interface Pipeline {
  readonly name: string;
  readonly description: string;
  readonly source: Bound<SourceDefinition>;
  readonly operators: readonly OperatorStep[];
  readonly branches: readonly BranchStep[];
  readonly baseDirectory: string;
  /** Name of the camera, in a run of several. */
  readonly camera?: string;
}

/** A branch whose invalid parts are missing. */
export interface BranchParts extends Omit<BranchStep, 'sink' | 'operators'> {
  readonly sink: Bound<SinkDefinition> | undefined;
  readonly operators: readonly (OperatorStep | undefined)[];
}

/** The parts of a pipeline that were checked; invalid ones are undefined, in their places. */
export interface PipelineParts {
  readonly source: Bound<SourceDefinition> | undefined;
  readonly operators: readonly (OperatorStep | undefined)[];
  readonly branches: readonly (BranchParts | undefined)[];
  readonly baseDirectory: string;
  /** The place of the source in the input; default: `['source']`. */
  readonly sourceAt?: Path;
}

/** A place in a pipeline file or in the input that it is composed of. */
export type Path = readonly (string | number)[];

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
  forCameras(input, problems);
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
  /** The camera whose pipeline it is, in a run of several. */
  readonly camera?: string;
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
  return inspectPipeline(input, problems, known).pipeline;
}

/** Like `checkPipeline`; also returns the valid parts of an invalid pipeline, for further checks. */
export function inspectPipeline(
  input: PartialInput,
  problems: Problem[],
  known: readonly OperatorDefinition[] = [],
): { readonly pipeline: Pipeline | undefined; readonly parts: PipelineParts } {
  const before = problems.length;
  const { camera } = input;
  const sourceAt = camera === undefined ? ['source'] : ['cameras', camera];
  const source =
    input.source &&
    (bind(input.source, sourceAt, problems, camera) as Bound<SourceDefinition> | undefined);
  const queue = source && isLive(source) ? liveQueue : defaultQueue;
  const parts: PipelineParts = {
    source,
    operators: checkOperators(input.operators ?? [], ['operators'], queue, problems, camera),
    branches: checkBranches(input.sinks, problems, camera),
    baseDirectory: input.baseDirectory ?? process.cwd(),
    sourceAt,
  };
  // Every check runs on the parts that are valid, so that all problems are reported at once.
  problems.push(...kindProblems(parts, known));
  // Those of several cameras are compared with each other, once all are known.
  if (camera === undefined)
    problems.push(...pathConflicts([parts], input.files), ...claimConflicts([parts]));
  if (problems.length > before || !isWhole(parts)) return { pipeline: undefined, parts };
  const { name = 'pipeline', description = '' } = input;
  const { sourceAt: _, ...whole } = parts;
  const named = camera === undefined ? {} : { camera };
  return { pipeline: { name, description, ...whole, ...named }, parts };
}

function isWhole(
  parts: PipelineParts,
): parts is Pick<Pipeline, 'source' | 'operators' | 'branches' | 'baseDirectory'> & PipelineParts {
  const { source, operators, branches } = parts;
  const steps = [...operators, ...branches.flatMap((branch) => branch?.operators ?? [undefined])];
  return (
    source !== undefined &&
    branches.every((branch) => branch?.sink !== undefined) &&
    !steps.includes(undefined)
  );
}

function bind(
  use: Use,
  path: Path,
  problems: Problem[],
  camera: string | undefined,
): Bound<Definition> | undefined {
  noteSecrets(use.options);
  const shared = use.definition.role === 'sink' && use.definition.shared;
  const given = (shared ? use.options : withCamera(use.options, camera)) ?? {};
  const result = use.definition.options.safeParse(given);
  if (result.success) {
    const options = bindNested(use.definition, result.data, path, problems, camera);
    return options === undefined ? undefined : { definition: use.definition, options, given };
  }
  for (const problem of valueProblems(use.definition.options, given)) {
    problems.push({ ...problem, path: [...path, use.definition.name, ...problem.path] });
  }
  bindNested(use.definition, given, path, problems, camera);
  return undefined;
}

/** Options whose nested sources are checked, too; nothing if one of them is invalid. */
function bindNested(
  definition: Definition,
  options: unknown,
  path: Path,
  problems: Problem[],
  camera: string | undefined,
): unknown {
  const names = definition.role === 'source' ? (definition.nested ?? []) : [];
  const given = options as Record<string, unknown>;
  const bound = names
    .filter((name) => given?.[name] !== undefined)
    .map((name) => {
      const at = [...path, definition.name, name];
      const use = given[name];
      if (use === wrongSource) return [name, undefined] as const;
      if (isUse(use)) return [name, bind(use, at, problems, camera)] as const;
      problems.push({ path: at, message: 'is not a source; call the component with its options' });
      return [name, undefined] as const;
    });
  if (bound.length === 0) return options;
  return bound.every(([, one]) => one) ? { ...given, ...Object.fromEntries(bound) } : undefined;
}

function isLive({ definition, options }: Bound<SourceDefinition>): boolean {
  const { live = false } = definition;
  return typeof live === 'function' ? live(options) : live;
}

function checkOperators(
  inputs: readonly (OperatorInput | undefined)[],
  path: Path,
  whereSilent: QueueOptions,
  problems: Problem[],
  camera: string | undefined,
): (OperatorStep | undefined)[] {
  return inputsOf(inputs, camera).map(({ input, index }): OperatorStep | undefined => {
    const at = [...path, index];
    if (input === undefined) return undefined;
    if (isDefinition(input)) {
      problems.push({ path: at, message: `is "${input.name}" itself; call it with its options` });
      return undefined;
    }
    if (typeof input === 'function') {
      const name = input.name || (isAsyncOperator(input) ? 'mapAsync' : 'operator');
      return { path: label(at, name), at, name, queue: whereSilent, operator: input };
    }
    const use = isUse(input) ? input : (input as { operator: Use<'operator'> }).operator;
    if (!isUse(use)) {
      problems.push({ path: at, message: 'is not an operator component or RxJS operator' });
      return undefined;
    }
    const component = bind(use, at, problems, camera) as Bound<OperatorDefinition> | undefined;
    if (!component) return undefined;
    const { name } = component.definition;
    const queue = { ...whereSilent, ...('queue' in input ? input.queue : {}) };
    return { path: label(at, name), at, name, queue, component };
  });
}

function checkBranches(
  inputs: PartialInput['sinks'],
  problems: Problem[],
  camera: string | undefined,
): (BranchParts | undefined)[] {
  if (inputs.length === 0) {
    problems.push({
      path: ['sinks'],
      message: 'needs at least one sink ("discard" only counts frames)',
    });
    return [];
  }
  const taken = new Set<string>();
  return inputsOf(inputs, camera).map(({ input, index }): BranchParts | undefined => {
    const at = ['sinks', index];
    if (input === undefined) return undefined;
    const branch: PartialBranch = isUse(input) ? { sink: input } : input;
    const sink = bind(branch.sink, at, problems, camera) as Bound<SinkDefinition> | undefined;
    const operators = checkOperators(
      branch.operators ?? [],
      [...at, 'operators'],
      defaultQueue,
      problems,
      camera,
    );
    if (branch.name !== undefined && taken.has(branch.name)) {
      problems.push({
        path: [...at, 'name'],
        message: `another sink is named "${branch.name}"; names must differ`,
      });
    }
    const name = branch.name ?? freeName(branch.sink.definition.name, taken);
    taken.add(name);
    return {
      path: label(at, branch.sink.definition.name),
      at,
      name,
      sink,
      operators,
      queue: { ...defaultQueue, ...branch.queue },
      onError: branch.onError ?? 'fail',
    };
  });
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

/** The inputs that take frames of the camera, with their places among all. */
function inputsOf<T>(
  inputs: readonly T[],
  camera: string | undefined,
): { readonly input: T; readonly index: number }[] {
  return inputs.flatMap((input, index) => {
    const cameras = camerasOf(input);
    const takes = camera === undefined || cameras === undefined || cameras.includes(camera);
    return takes ? [{ input, index }] : [];
  });
}

function label(path: Path, name: string): string {
  return `${formatPath(path)} ${name}`;
}
