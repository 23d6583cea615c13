import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Definition, PathUse } from '../core/component.ts';
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
  readonly source: Component | undefined;
  readonly operators: readonly (Operator | undefined)[];
  readonly branches: readonly (
    | {
        readonly path: string;
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

/**
 * Outputs that are inputs of the same run, or that two sinks share. Paths are compared as the file
 * system resolves them: through links, and by inode.
 *
 * @param files that the pipeline was loaded from
 */
export function pathConflicts(
  { source, operators, branches, baseDirectory }: PathUsers,
  files: readonly string[] = [],
): ValueProblem[] {
  const reads: Named[] = [
    ...files.map((path): Named => ({ path, as: 'file', option: '', by: 'the pipeline itself' })),
    ...(source ? uses('reads', source, `source ${source.definition.name}`, baseDirectory) : []),
    ...[...operators, ...branches.flatMap((branch) => branch?.operators ?? [])].flatMap((step) =>
      step ? readsOf(step, baseDirectory) : [],
    ),
  ];
  const problems: ValueProblem[] = [];
  const written: Named[] = [];
  for (const [index, branch] of branches.entries()) {
    if (!branch?.sink) continue;
    const { path: by, sink } = branch;
    const outputs = uses('writes', sink, by, baseDirectory);
    for (const output of outputs) {
      const at = ['sinks', index, sink.definition.name, output.option];
      const input = reads.find((other) => conflict(output, other));
      const other = written.find((earlier) => conflict(output, earlier));
      const message = input
        ? `${describe(output)} is read by ${input.by}; write to another one`
        : other && `${describe(output)} is written by ${other.by} too; write to another one`;
      if (message === undefined || problems.some(({ path }) => path[1] === index)) continue;
      problems.push({ path: at, message });
    }
    written.push(...outputs);
  }
  return problems;
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
