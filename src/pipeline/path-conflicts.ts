import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Definition } from '../core/component.ts';
import type { PathUse } from '../core/component-facts.ts';
import type { ValueProblem } from '../core/option-problems.ts';

interface Component {
  readonly definition: Definition;
  readonly options: unknown;
}

interface Operator {
  readonly path: string;
  readonly component?: Component;
}

/** What the check needs of a pipeline; invalid parts are undefined. */
export interface PathUsers {
  /** The camera whose pipeline it is, in a run of several. */
  readonly camera?: string | undefined;
  readonly source: Component | undefined;
  readonly operators: readonly (Operator | undefined)[];
  readonly branches: readonly (
    | {
        readonly path: string;
        readonly at: readonly (string | number)[];
        readonly sink: Component | undefined;
        readonly operators: readonly (Operator | undefined)[];
      }
    | undefined
  )[];
  readonly baseDirectory: string;
}

interface Named extends PathUse {
  /** For messages: `source images`. */
  readonly by: string;
}

interface Output extends Named {
  readonly camera: string | undefined;
  readonly sink: Component;
  readonly at: readonly (string | number)[];
}

/**
 * Outputs that are inputs of the same run, or that two sinks share. Paths are compared as the file
 * system resolves them: through links, and by inode.
 *
 * @param pipelines of one source, or of each camera of a run
 * @param files that the pipeline was loaded from
 */
export function pathConflicts(
  pipelines: readonly PathUsers[],
  files: readonly string[] = [],
): ValueProblem[] {
  const reads: Named[] = [
    ...files.map((path): Named => ({ path, as: 'file', option: '', by: 'the pipeline itself' })),
    ...pipelines.flatMap(inputsOf),
  ];
  const problems: ValueProblem[] = [];
  const written: Output[] = [];
  for (const outputs of pipelines.flatMap(outputsOf)) {
    for (const output of outputs) {
      const { at, sink, option } = output;
      const input = reads.find((other) => conflict(output, other));
      const other = written.find((earlier) => conflict(output, earlier));
      const message = input
        ? `${describe(output)} is read by ${input.by}; write to another one`
        : other && writtenTwice(output, other);
      if (message === undefined || problems.some(({ path }) => path[1] === at[1])) continue;
      problems.push({ path: [...at, sink.definition.name, option], message });
    }
    written.push(...outputs);
  }
  return problems;
}

/** What to say of a place that an earlier sink writes to as well. */
function writtenTwice(output: Output, other: Output): string {
  if (output.camera !== other.camera && output.at.join() === other.at.join())
    return `${describe(output)} is written for camera "${other.camera}" too; put {camera} in its name, so that each camera has its own`;
  return `${describe(output)} is written by ${other.by} too; write to another one`;
}

function inputsOf({ source, operators, branches, baseDirectory }: PathUsers): Named[] {
  const steps = [...operators, ...branches.flatMap((branch) => branch?.operators ?? [])];
  return [
    ...(source ? uses('reads', source, `source ${source.definition.name}`, baseDirectory) : []),
    ...steps.flatMap((step) => (step ? readsOf(step, baseDirectory) : [])),
  ];
}

/** What each sink writes. A sink that several cameras share stands once among them, with the first. */
function outputsOf({ camera, branches, baseDirectory }: PathUsers, nth: number): Output[][] {
  return branches.flatMap((branch) => {
    if (!branch?.sink) return [];
    const { path: by, sink, at } = branch;
    const { definition } = sink;
    if (nth > 0 && definition.role === 'sink' && definition.shared) return [];
    const writes = uses('writes', sink, by, baseDirectory);
    return [writes.map((use) => ({ ...use, camera, sink, at }))];
  });
}

function readsOf({ component, path }: Operator, baseDirectory: string): Named[] {
  return component ? uses('reads', component, path, baseDirectory) : [];
}

function uses(
  what: 'reads' | 'writes',
  { definition, options }: Component,
  by: string,
  baseDirectory: string,
): Named[] {
  const used = definition[what]?.(options as never, baseDirectory) ?? [];
  return used.map((use) => ({ ...use, by }));
}

function describe({ as, path }: PathUse): string {
  return `the ${as} ${path}`;
}

function conflict(output: PathUse, other: PathUse): boolean {
  if (output.as === 'folder' && other.as === 'file') return removes(output, other.path);
  if (output.as !== other.as) return false;
  if (!samePlace(output.path, other.path) && !(other.deep && isBelow(output.path, other.path)))
    return false;
  if (output.as === 'file') return true;
  const { samples } = output;
  if (!samples) return true;
  if (other.samples) return samples.some((name) => other.samples?.includes(name));
  return samples.some((name) => other.names?.test(name) ?? true);
}

/** Whether a sink that replaces files of some names would replace this one. */
function removes({ path, names }: PathUse, file: string): boolean {
  const real = realPath(file);
  return (names?.test(basename(real)) ?? false) && samePlace(dirname(real), path);
}

function samePlace(a: string, b: string): boolean {
  if (realPath(a) === realPath(b)) return true;
  const [one, two] = [a, b].map(identity);
  return one !== undefined && one === two;
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(realPath(folder), realPath(path));
  return way !== '..' && !way.startsWith('../');
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // Not there yet, or not to be looked at: then only its path can be compared.
    return undefined;
  }
}

/** As far as the path exists, with links resolved. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
