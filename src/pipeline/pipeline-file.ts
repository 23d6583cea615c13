import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Role, Use } from '../core/component.ts';
import { hint } from '../core/did-you-mean.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { valueProblems } from '../core/option-problems.ts';
import { readable } from '../core/printable.ts';
import { queueSchema, toQueueOptions } from '../core/queue-options.ts';
import type { Registry } from '../core/registry.ts';
import {
  checkPipeline,
  type OnError,
  type OperatorInput,
  type PartialBranch,
  type Pipeline,
  type Problem,
} from './pipeline.ts';
import { applySettings, interpolate } from './settings.ts';
import { checkTimingTests, type TimingTest } from './timing-test.ts';
import { importComponents } from './use-module.ts';
import { offsetOf } from './yaml-position.ts';

/** A problem with its place in the file; lines and columns count from 1. */
export interface FileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface LoadOptions {
  /** Components that the file may name; those of its `use` modules are added to a copy. */
  readonly registry: Registry;
  /** `--set` values: `source.video-file.path=other.mp4`. */
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Loaded {
  /** Only if there is no problem. */
  readonly pipeline: Pipeline | undefined;
  /** The file's `tests`. */
  readonly tests: readonly TimingTest[];
  readonly problems: readonly FileProblem[];
  /** The given registry and the components of the file's `use` modules. */
  readonly registry: Registry;
}

/** The keys of a pipeline file, in the order in which people write them. */
export const fileKeys = ['description', 'use', 'source', 'operators', 'sinks', 'tests'] as const;

/** What may stand beside a component's name. */
export const sideKeys: Readonly<Record<Role, readonly string[]>> = {
  source: [],
  operator: ['queue'],
  sink: ['name', 'queue', 'operators', 'on-error'],
};

export const sideSchemas = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/i, { error: 'must be letters, digits and "-"' })
    .describe('name of the branch in the ledger; default: the name of the sink'),
  'on-error': z
    .enum(['fail', 'skip', 'retry'])
    .describe('when a write fails: end the run, count the frame as failed, or try again'),
  queue: queueSchema,
};

/** Reads, resolves and checks a pipeline file. Every problem is reported, not only the first. */
export async function loadPipelineFile(file: string, options: LoadOptions): Promise<Loaded> {
  try {
    return await parsePipeline(await readFile(file, 'utf8'), file, options);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing
      ? 'there is no such file; "depthline list" shows the named pipelines'
      : `cannot be read: ${reason(error)}`;
    const problems = [{ file, line: 1, column: 1, message }];
    return { pipeline: undefined, tests: [], problems, registry: options.registry };
  }
}

/** Like `loadPipelineFile`, from text; `file` names it in messages and locates `use` modules. */
export async function parsePipeline(
  text: string,
  file: string,
  options: LoadOptions,
): Promise<Loaded> {
  const reader = new FileReader(text, file, options);
  const pipeline = await reader.read();
  const problems = reader.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { pipeline, tests: reader.tests, problems, registry: reader.registry };
}

/** Like `loadPipelineFile`, but throws a DepthlineError `CONFIG` that lists every problem. */
export async function requirePipeline(file: string, options: LoadOptions): Promise<Pipeline> {
  const { pipeline, problems } = await loadPipelineFile(file, options);
  if (pipeline) return pipeline;
  throw new DepthlineError('CONFIG', formatProblems(problems));
}

/** `file:line:column: message`, a line each. */
export function formatProblems(problems: readonly FileProblem[]): string {
  return problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n');
}

type Path = readonly (string | number)[];
type Mapping = Readonly<Record<string, unknown>>;

class FileReader {
  readonly problems: FileProblem[] = [];
  readonly registry: Registry;
  tests: TimingTest[] = [];
  readonly #file: string;
  readonly #options: LoadOptions;
  readonly #lines = new LineCounter();
  readonly #document;
  /** Values that could not be resolved: what else is wrong with them follows from that. */
  readonly #unresolved = new Set<string>();
  /** A module did not load, so components may be unknown because of that. */
  #moduleMissing = false;

  constructor(text: string, file: string, options: LoadOptions) {
    this.#file = file;
    this.#options = options;
    this.registry = options.registry.copy();
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  async read(): Promise<Pipeline | undefined> {
    for (const error of this.#document.errors) {
      this.#reportAt(error.pos[0], `not valid YAML: ${error.message}`);
    }
    if (this.problems.length > 0) return undefined;
    const value: unknown = this.#document.toJS();
    if (value === null) {
      this.#reportAt(0, 'the file is empty; a pipeline needs at least "source" and "sinks"');
      return undefined;
    }
    if (!isMapping(value)) {
      this.#reportAt(0, 'a pipeline file is a map with "source", "operators" and "sinks"');
      return undefined;
    }
    const report = (problem: Problem) => this.#report(problem);
    const resolved = interpolate(value, this.#options.env ?? process.env, (problem) => {
      report(problem);
      this.#unresolved.add(JSON.stringify(problem.path));
    });
    applySettings(resolved, this.#options.set ?? [], report);
    await this.#useModules(resolved.use);
    return this.#resolve(resolved);
  }

  #resolve(value: Mapping): Pipeline | undefined {
    for (const key of Object.keys(value)) {
      if (!(fileKeys as readonly string[]).includes(key)) {
        this.#report({
          path: [key],
          key: true,
          message: `unknown key "${key}"${hint(key, fileKeys)}`,
        });
      }
    }
    if (value.description !== undefined && typeof value.description !== 'string') {
      this.#report({ path: ['description'], message: 'must be a text' });
    }
    const found: Problem[] = [];
    const pipeline = checkPipeline(
      {
        name: this.#file.replace(/^.*\//, '').replace(/\.ya?ml$/, ''),
        description: String(value.description ?? ''),
        source: this.#source(value.source),
        operators: this.#operators(value.operators, ['operators']),
        sinks: this.#sinks(value.sinks),
      },
      found,
    );
    if (pipeline && value.tests !== undefined) {
      this.tests = checkTimingTests(value.tests, pipeline, found);
    }
    for (const problem of found) this.#report(problem);
    return this.problems.length === 0 ? pipeline : undefined;
  }

  #source(value: unknown): Use<'source'> | undefined {
    if (value === undefined) {
      this.#report({ path: [], message: 'has no "source"' });
      return undefined;
    }
    return this.#component('source', value, ['source'])?.use as Use<'source'> | undefined;
  }

  #operators(value: unknown, path: Path): (OperatorInput | undefined)[] {
    return this.#list(value, path).map((item, index) => {
      const found = this.#component('operator', item, [...path, index]);
      if (!found) return undefined;
      const queue = this.#side('queue', found.beside, [...path, index]);
      const operator = found.use as Use<'operator'>;
      if (queue && !(operator.definition as { queued?: boolean }).queued) {
        const message = `${operator.definition.name} works at once and has no queue; queues stand before asynchronous operators and sinks`;
        this.#report({ path: [...path, index, 'queue'], key: true, message });
      }
      return { operator, ...(queue && { queue: toQueueOptions(queue) }) };
    });
  }

  #sinks(value: unknown): (PartialBranch | undefined)[] {
    return this.#list(value, ['sinks']).map((item, index) => {
      const path = ['sinks', index];
      const found = this.#component('sink', item, path);
      if (!found) return undefined;
      const queue = this.#side('queue', found.beside, path);
      const name = this.#side('name', found.beside, path);
      const onError = this.#side('on-error', found.beside, path) as OnError | undefined;
      const operators = this.#operators(found.beside.operators, [...path, 'operators']);
      return {
        sink: found.use as Use<'sink'>,
        operators,
        ...(queue && { queue: toQueueOptions(queue) }),
        ...(name !== undefined && { name }),
        ...(onError && { onError }),
      };
    });
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value as unknown[];
    this.#report({ path, message: `must be a list: write each ${path.at(-1)} item with "- "` });
    return [];
  }

  /** `{ resize: {...}, queue: {...} }` → the component that is named, and what stands beside it. */
  #component(role: Role, value: unknown, path: Path): { use: Use; beside: Mapping } | undefined {
    const item = typeof value === 'string' ? { [value]: {} } : value;
    if (!isMapping(item)) {
      this.#report({ path, message: `must name a ${role}, such as "${this.#sample(role)}"` });
      return undefined;
    }
    const beside = sideKeys[role];
    const names = Object.keys(item).filter((key) => !beside.includes(key));
    const [name] = names;
    if (name === undefined) {
      this.#report({
        path,
        message: `names no ${role}; valid: ${this.registry.names(role).join(', ')}`,
      });
      return undefined;
    }
    for (const extra of names.slice(1)) this.#extraKey(role, name, extra, path);
    const definition = this.registry.get(name, role);
    if (!definition) {
      const message = this.#unknown(role, name);
      if (!this.#moduleMissing) this.#report({ path: [...path, name], key: true, message });
      return undefined;
    }
    const options = item[name] ?? {};
    return { use: { role, definition, options } as Use, beside: item };
  }

  #extraKey(role: Role, name: string, extra: string, path: Path): void {
    const message = this.registry.get(extra)
      ? `"${extra}" stands in the same item as "${name}"; give it an item of its own`
      : `unknown key "${extra}" beside "${name}"${hint(extra, sideKeys[role])}`;
    this.#report({ path: [...path, extra], key: true, message });
  }

  #unknown(role: Role, name: string): string {
    const other = this.registry.get(name);
    if (other) return `"${name}" is ${withArticle(other.role)}, not ${withArticle(role)}`;
    return `unknown ${role} "${name}"${hint(name, this.registry.names(role))}`;
  }

  #sample(role: Role): string {
    return this.registry.names(role)[0] ?? role;
  }

  #side<K extends keyof typeof sideSchemas>(
    key: K,
    beside: Mapping,
    path: Path,
  ): z.output<(typeof sideSchemas)[K]> | undefined {
    const value = beside[key];
    if (value === undefined) return undefined;
    const schema = sideSchemas[key];
    const result = schema.safeParse(value);
    if (result.success) return result.data as z.output<(typeof sideSchemas)[K]>;
    for (const problem of valueProblems(schema, value)) {
      this.#report({ ...problem, path: [...path, key, ...problem.path] });
    }
    return undefined;
  }

  /** Loads the user's own modules; what they export with `defineOperator` and so on can be named. */
  async #useModules(value: unknown): Promise<void> {
    if (value === undefined) return;
    const modules = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const [index, module] of modules.entries()) {
      const path: Path = Array.isArray(value) ? ['use', index] : ['use'];
      if (typeof module !== 'string') {
        this.#report({ path, message: 'must be the path of a JavaScript module' });
        continue;
      }
      try {
        await this.#useModule(resolve(dirname(this.#file), module), module, path);
      } catch (error) {
        this.#moduleMissing = true;
        const [why] = reason(error).split('\n');
        this.#report({ path, message: `${module} could not be loaded: ${why}` });
      }
    }
  }

  async #useModule(file: string, name: string, path: Path): Promise<void> {
    const components = await importComponents(file);
    for (const component of components) this.registry.add(component);
    if (components.length === 0) {
      this.#report({ path, message: `${name} exports no component; make one with defineOperator` });
    }
  }

  #report(problem: Problem): void {
    if (this.#unresolved.has(JSON.stringify(problem.path))) return;
    const { path, key = false } = problem;
    this.#reportAt(offsetOf(this.#document, path, key), this.#named(problem));
  }

  #named(problem: Problem): string {
    const name = problem.path.at(-1);
    const aboutValue = /^(is|must|needs|has|names|fits)\b|^".*" is not valid here/;
    return aboutValue.test(problem.message) && problem.key !== true && typeof name === 'string'
      ? `${name} ${problem.message}`
      : problem.message;
  }

  #reportAt(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({
      file: this.#file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      message: readable(message),
    });
  }
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withArticle(role: Role): string {
  return role === 'operator' ? 'an operator' : `a ${role}`;
}
