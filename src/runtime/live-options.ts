import type { Definition } from '../core/component.ts';
import { hint } from '../core/did-you-mean.ts';
import { DepthlineError } from '../core/errors.ts';
import type { LiveOption, LiveOptions } from '../core/live-options.ts';
import { formatProblem, valueProblems } from '../core/option-problems.ts';
import type { Bound, BranchStep, OperatorStep, Pipeline } from '../pipeline/pipeline.ts';

type Values = Readonly<Record<string, unknown>>;

/** A component of a pipeline that has options to change, and how to put another in its place. */
interface Place {
  readonly name: string;
  readonly bound: Bound<Definition>;
  replaced(by: Bound<Definition>): Pipeline;
}

export interface LivePipelineOptions {
  pipeline(): Pipeline;
  /** Changes the run to a pipeline that differs in options that can change while it runs. */
  adjust(pipeline: Pipeline): void;
}

/** The options of a run's pipeline that can change while it runs, by name. */
export class LivePipeline implements LiveOptions {
  readonly #options: LivePipelineOptions;
  readonly #listeners = new Set<() => void>();

  constructor(options: LivePipelineOptions) {
    this.#options = options;
  }

  list(): LiveOption[] {
    return placesOf(this.#options.pipeline()).flatMap(({ name, bound }) => {
      const given = bound.given as Values | undefined;
      const options = bound.options as Values;
      return (bound.definition.adjustable ?? []).map((option) => ({
        name: `${name}.${option}`,
        value: given?.[option] ?? options[option],
      }));
    });
  }

  set(name: string, value: unknown): void {
    const dot = name.lastIndexOf('.');
    const [component, option] = [name.slice(0, dot), name.slice(dot + 1)];
    const place = placesOf(this.#options.pipeline()).find((one) => one.name === component);
    if (!place?.bound.definition.adjustable?.includes(option)) throw this.#unknown(name);
    const { definition, given = {} } = place.bound;
    const { [option]: _, ...others } = given as Values;
    const changed = value === undefined ? others : { ...others, [option]: value };
    const checked = definition.options.safeParse(changed);
    if (!checked.success) {
      const problems = valueProblems(definition.options, changed).map(formatProblem);
      throw new DepthlineError('CONFIG', `${component}: ${problems.join('; ')}`);
    }
    const bound = { definition, options: checked.data, given: changed };
    this.#options.adjust(place.replaced(bound));
  }

  onChange(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** To be called when the pipeline has changed. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #unknown(name: string): DepthlineError {
    const names = this.list().map((option) => option.name);
    const message = `no option "${name}" can change while it runs${hint(name, names)}`;
    return new DepthlineError('CONFIG', message);
  }
}

function placesOf(pipeline: Pipeline): Place[] {
  const counts = new Map<string, number>();
  const named = (name: string) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  };
  const operators = (
    steps: readonly OperatorStep[],
    prefix: string,
    withSteps: (steps: readonly OperatorStep[]) => Pipeline,
  ) =>
    steps.flatMap((step, index): Place[] => {
      if (!step.component?.definition.adjustable) return [];
      const replaced = (component: Bound<Definition>) =>
        withSteps(steps.with(index, { ...step, component } as OperatorStep));
      return [{ name: named(`${prefix}${step.name}`), bound: step.component, replaced }];
    });
  const branch = (step: BranchStep, index: number): Place[] => {
    const withStep = (one: BranchStep) => ({
      ...pipeline,
      branches: pipeline.branches.with(index, one),
    });
    const own = operators(step.operators, `${step.name}.`, (steps) =>
      withStep({ ...step, operators: steps }),
    );
    if (!step.sink.definition.adjustable) return own;
    const replaced = (sink: Bound<Definition>) => withStep({ ...step, sink } as BranchStep);
    return [...own, { name: named(step.name), bound: step.sink, replaced }];
  };
  const { source } = pipeline;
  const first: Place = {
    name: named(source.definition.name),
    bound: source,
    replaced: (by) => ({ ...pipeline, source: by }) as Pipeline,
  };
  return [
    ...(source.definition.adjustable ? [first] : []),
    ...operators(pipeline.operators, '', (steps) => ({ ...pipeline, operators: steps })),
    ...pipeline.branches.flatMap(branch),
  ];
}
