import type { Definition } from '../core/component.ts';
import type { Claim } from '../core/component-facts.ts';
import type { ValueProblem } from '../core/option-problems.ts';

interface Component {
  readonly definition: Definition;
  readonly options: unknown;
}

/** What the check needs of a pipeline; invalid parts are undefined. */
export interface ClaimingParts {
  /** The camera whose pipeline it is, in a run of several. */
  readonly camera?: string | undefined;
  readonly source: Component | undefined;
  readonly sourceAt?: readonly (string | number)[] | undefined;
  readonly branches: readonly (
    | {
        readonly path: string;
        readonly at: readonly (string | number)[];
        readonly sink: Component | undefined;
      }
    | undefined
  )[];
}

interface Claimed extends Claim {
  readonly camera: string | undefined;
  /** For messages: `source usb-camera`. */
  readonly by: string;
  readonly path: readonly (string | number)[];
}

/**
 * Devices, ports and topics that two components of a run would have.
 *
 * @param pipelines of one source, or of each camera of a run
 */
export function claimConflicts(pipelines: readonly ClaimingParts[]): ValueProblem[] {
  const problems: ValueProblem[] = [];
  const known: Claimed[] = [];
  for (const claim of pipelines.flatMap(claimsOf)) {
    const other = known.find((earlier) => conflict(claim, earlier));
    known.push(claim);
    if (!other || problems.some(({ path }) => path.join() === claim.path.join())) continue;
    problems.push({ path: claim.path, message: message(claim, other) });
  }
  return problems;
}

function claimsOf(
  { camera, source, sourceAt = ['source'], branches }: ClaimingParts,
  nth: number,
): Claimed[] {
  const of = (
    { definition, options }: Component,
    by: string,
    at: readonly (string | number)[],
  ): Claimed[] =>
    (definition.claims?.(options as never) ?? []).map((claim) => {
      return { ...claim, camera, by, path: [...at, definition.name, claim.option] };
    });
  const sinks = branches.flatMap((branch) => {
    if (!branch?.sink) return [];
    const { definition } = branch.sink;
    // Cameras share it: it stands once among them, with the first.
    if (nth > 0 && definition.role === 'sink' && definition.shared) return [];
    return of(branch.sink, branch.path, branch.at);
  });
  const name = source?.definition.name;
  const by = camera === undefined ? `source ${name}` : `camera "${camera}"`;
  return [...(source ? of(source, by, sourceAt) : []), ...sinks];
}

function conflict(one: Claimed, other: Claimed): boolean {
  if (one.what !== other.what || one.at !== other.at) return false;
  return !one.perCamera || one.camera !== other.camera;
}

function message({ what, path, camera }: Claimed, other: Claimed): string {
  if (camera !== other.camera && path.join() === other.path.join())
    return `the ${what} is that of camera "${other.camera}" too; put {camera} in it, so that each camera has its own`;
  return `the ${what} is used by ${other.by} too; choose another one`;
}
