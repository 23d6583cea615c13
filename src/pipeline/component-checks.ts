import type { Definition, OperatorDefinition, SourceDefinition } from '../core/component.ts';
import type { CheckContext, FrameFacts } from '../core/component-facts.ts';
import { DepthlineError } from '../core/errors.ts';
import { frameKinds } from '../core/frame.ts';
import { formatProblem, type ValueProblem } from '../core/option-problems.ts';
import { emittedKinds } from './frame-kinds.ts';
import type { Bound, OperatorStep, Path, PipelineParts } from './pipeline.ts';

/** Nothing is known of frames behind a user's own function, or behind an invalid stage. */
const unknown: FrameFacts = {};

/**
 * Problems that the components themselves find (`check`), with what is known of the frames that reach
 * each: their kinds, the unit of depth, whether they carry intrinsics.
 *
 * @param thorough also check what takes seconds, such as loading a model
 */
export async function componentProblems(
  { source, sourceAt = ['source'], operators, branches, baseDirectory }: PipelineParts,
  thorough: boolean,
): Promise<ValueProblem[]> {
  const checks = new ComponentChecks(baseDirectory, thorough);
  const start = await checks.source(source, sourceAt);
  const trunk = await checks.operators(operators, start);
  for (const branch of branches) {
    const begin = branch?.takes === 'source' ? start : trunk;
    const end = await checks.operators(branch?.operators ?? [], begin);
    if (branch?.sink) await checks.component(branch.sink, end, branch.at);
  }
  return checks.problems;
}

/**
 * Runs the quick checks of a pipeline that is about to run.
 *
 * @throws DepthlineError `CONFIG` that lists every problem, each with the path of its component
 */
export async function requireChecked(pipeline: PipelineParts): Promise<void> {
  const problems = await componentProblems(pipeline, false);
  if (problems.length === 0) return;
  throw new DepthlineError('CONFIG', problems.map(formatProblem).join('\n'));
}

class ComponentChecks {
  readonly problems: ValueProblem[] = [];
  readonly #baseDirectory: string;
  readonly #thorough: boolean;

  constructor(baseDirectory: string, thorough: boolean) {
    this.#baseDirectory = baseDirectory;
    this.#thorough = thorough;
  }

  /** What is known of the frames of the source. */
  async source(source: Bound<SourceDefinition> | undefined, at: Path): Promise<FrameFacts> {
    if (!source) return unknown;
    await this.component(source, unknown, at);
    const { definition, options } = source;
    return { kinds: emittedKinds(source, frameKinds), ...definition.facts?.(options) };
  }

  /** What is known of the frames behind the operators. */
  async operators(
    steps: readonly (OperatorStep | undefined)[],
    start: FrameFacts,
  ): Promise<FrameFacts> {
    let facts = start;
    for (const step of steps) {
      const component = step?.component;
      if (component) await this.component(component, facts, step.at);
      facts = component ? await this.#behind(component, facts) : unknown;
    }
    return facts;
  }

  async component(
    { definition, options }: Bound<Definition>,
    arriving: FrameFacts,
    path: Path,
  ): Promise<void> {
    const problems = (await definition.check?.(options, this.#context(arriving))) ?? [];
    for (const problem of problems) {
      this.problems.push({ ...problem, path: [...path, definition.name, ...problem.path] });
    }
  }

  async #behind(component: Bound<OperatorDefinition>, arriving: FrameFacts): Promise<FrameFacts> {
    const { definition, options } = component;
    const known = await definition.facts?.(options, this.#context(arriving));
    return { ...arriving, ...known, kinds: emittedKinds(component, arriving.kinds ?? []) };
  }

  #context(arriving: FrameFacts): CheckContext {
    return { baseDirectory: this.#baseDirectory, arriving, thorough: this.#thorough };
  }
}
