import type {
  Definition,
  Emits,
  OperatorDefinition,
  SinkDefinition,
  SourceDefinition,
} from '../core/component.ts';
import { type FrameKind, frameKinds } from '../core/frame.ts';
import type { ValueProblem } from '../core/option-problems.ts';

interface Component<D extends Definition> {
  readonly definition: D;
  readonly options: unknown;
}

interface Operator {
  readonly name: string;
  /** Undefined for a user's own function. */
  readonly component?: Component<OperatorDefinition>;
}

/** The parts of a pipeline that decide which frames go where. */
interface Stages {
  readonly source: Component<SourceDefinition>;
  readonly operators: readonly Operator[];
  readonly branches: readonly {
    readonly sink: Component<SinkDefinition>;
    readonly operators: readonly Operator[];
  }[];
}

/** A stage that gets frames of kinds it does not accept. */
interface Mismatch {
  readonly path: readonly (string | number)[];
  readonly definition: OperatorDefinition | SinkDefinition;
  readonly refused: readonly FrameKind[];
  /** The stage that emits them. */
  readonly from: string;
}

/**
 * Stages that get frames of kinds they do not accept, found by following the kinds from the source to
 * each sink.
 *
 * @param known operators that a message may advise to use
 */
export function kindProblems(
  { source, operators, branches }: Stages,
  known: readonly OperatorDefinition[],
): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const report = (mismatch: Mismatch) => {
    problems.push({ path: mismatch.path, message: mismatchMessage(mismatch, known) });
  };
  const kinds = resolveKinds(source.definition.emits, source.options, frameKinds);
  const start = { kinds, from: source.definition.name };
  const trunk = followKinds(start, operators, ['operators'], report);
  for (const [index, branch] of branches.entries()) {
    const path = ['sinks', index];
    const end = followKinds(trunk, branch.operators, [...path, 'operators'], report);
    checkAccepted(branch.sink.definition, end, path, report);
  }
  return problems;
}

interface KindsFrom {
  readonly kinds: readonly FrameKind[];
  readonly from: string;
}

function followKinds(
  start: KindsFrom,
  operators: readonly Operator[],
  path: readonly (string | number)[],
  report: (mismatch: Mismatch) => void,
): KindsFrom {
  let current = start;
  for (const [index, step] of operators.entries()) {
    if (!step.component) {
      // The frame kinds of a user's own function are unknown.
      current = { kinds: [], from: step.name };
      continue;
    }
    const { definition, options } = step.component;
    checkAccepted(definition, current, [...path, index], report);
    const kinds = resolveKinds(definition.emits, options, current.kinds);
    current = { kinds, from: definition.name };
  }
  return current;
}

function checkAccepted(
  definition: OperatorDefinition | SinkDefinition,
  { kinds, from }: KindsFrom,
  path: readonly (string | number)[],
  report: (mismatch: Mismatch) => void,
): void {
  const refused = kinds.filter((kind) => !definition.accepts.includes(kind));
  if (refused.length > 0) report({ path, definition, refused, from });
}

function resolveKinds<O>(
  emits: Emits<O>,
  options: O,
  incoming: readonly FrameKind[],
): readonly FrameKind[] {
  if (emits === 'same') return incoming;
  return typeof emits === 'function' ? emits(options) : emits;
}

function mismatchMessage(
  { definition, refused, from }: Mismatch,
  known: readonly OperatorDefinition[],
): string {
  const { name, accepts } = definition;
  const makers = known.filter(
    ({ emits, accepts: accepted }) =>
      Array.isArray(emits) &&
      refused.every((kind) => accepted.includes(kind)) &&
      emits.every((kind) => accepts.includes(kind) && !refused.includes(kind)),
  );
  const advice =
    makers.length > 0 ? `; put ${makers.map((one) => `"${one.name}"`).join(' or ')} before it` : '';
  return `${name} accepts ${accepts.join(' or ')} frames, but ${from} emits ${refused.join(' and ')}${advice}`;
}
