import type {
  Definition,
  Emits,
  FramePart,
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
  readonly at: Path;
  readonly name: string;
  /** Undefined for a user's own function. */
  readonly component?: Component<OperatorDefinition>;
}

/** The parts of a pipeline that decide which frames go where; invalid ones are undefined. */
interface Stages {
  readonly source: Component<SourceDefinition> | undefined;
  readonly operators: readonly (Operator | undefined)[];
  readonly branches: readonly (
    | {
        readonly at: Path;
        readonly sink: Component<SinkDefinition> | undefined;
        readonly operators: readonly (Operator | undefined)[];
      }
    | undefined
  )[];
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
  const lack = (path: Path, message: string) => problems.push({ path, message });
  const start: Flow = source
    ? { kinds: emittedKinds(source, frameKinds), parts: [], from: source.definition.name }
    : unknown;
  const follow = (from: Flow, steps: readonly (Operator | undefined)[]) => {
    checkParts(from, steps, lack);
    return followKinds(from, steps, report);
  };
  const trunk = follow(start, operators);
  for (const branch of branches) {
    const end = follow(trunk, branch?.operators ?? []);
    if (branch?.sink) checkAccepted(branch.sink.definition, end, branch.at, report);
  }
  return problems;
}

type Path = readonly (string | number)[];

/** What is known of the frames that a stage emits. */
interface Flow {
  readonly kinds: readonly FrameKind[];
  /** Undefined behind a user's own function. */
  readonly parts: readonly FramePart[] | undefined;
  readonly from: string;
}

/** What an invalid stage emits. */
const unknown: Flow = { kinds: [], parts: undefined, from: '' };

/** The parts of the frames behind a stage. */
function partsAfter(step: Operator | undefined, parts: Flow['parts']): Flow['parts'] {
  if (!step?.component || !parts) return undefined;
  const { definition, options } = step.component;
  const { accepts, emits } = definition;
  // What makes another kind of frame makes a new one, without the parts.
  const keeps =
    emits === 'same' ||
    (accepts.includes('depth') && emittedKinds(step.component, []).includes('depth'));
  return [...(keeps ? parts : []), ...(definition.adds?.(options) ?? [])];
}

/** Reports each stage whose frames lack a part that it needs. */
function checkParts(
  { parts }: Flow,
  operators: readonly (Operator | undefined)[],
  report: (path: Path, message: string) => void,
): void {
  let present = parts;
  for (const step of operators) {
    const needs = step?.component?.definition.needs?.(step.component.options) ?? {};
    for (const [part, advice] of Object.entries(needs)) {
      if (!present || present.includes(part as FramePart)) continue;
      report(step?.at ?? [], `${step?.name} needs the ${part} of each frame: ${advice}`);
    }
    present = partsAfter(step, present);
  }
}

function followKinds(
  start: Flow,
  operators: readonly (Operator | undefined)[],
  report: (mismatch: Mismatch) => void,
): Flow {
  let current = start;
  for (const step of operators) {
    if (!step?.component) {
      // The frame kinds of a user's own function are unknown.
      current = step ? { kinds: [], parts: undefined, from: step.name } : unknown;
      continue;
    }
    const { definition } = step.component;
    checkAccepted(definition, current, step.at, report);
    const kinds = emittedKinds(step.component, current.kinds);
    current = { kinds, parts: partsAfter(step, current.parts), from: definition.name };
  }
  return current;
}

function checkAccepted(
  definition: OperatorDefinition | SinkDefinition,
  { kinds, from }: Flow,
  path: readonly (string | number)[],
  report: (mismatch: Mismatch) => void,
): void {
  const refused = kinds.filter((kind) => !definition.accepts.includes(kind));
  if (refused.length > 0) report({ path, definition, refused, from });
}

/** Kinds of the frames that a component emits when frames of `incoming` kinds reach it. */
export function emittedKinds(
  { definition, options }: Component<SourceDefinition | OperatorDefinition>,
  incoming: readonly FrameKind[],
): readonly FrameKind[] {
  const emits = definition.emits as Emits<unknown>;
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
