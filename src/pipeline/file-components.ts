import type { z } from 'zod';
import type { Definition, Role, Use } from '../core/component.ts';
import { hint } from '../core/did-you-mean.ts';
import { wrongSource } from '../core/nested-source.ts';
import { valueProblems } from '../core/option-problems.ts';
import { toQueueOptions } from '../core/queue-options.ts';
import type { Registry } from '../core/registry.ts';
import { isMapping, type Mapping, type Path, sideKeys, sideSchemas } from './file-schema.ts';
import type { OperatorInput, PartialBranch, Problem } from './pipeline.ts';
import type { Texts } from './texts.ts';

/** An item of a pipeline file: its component, and the whole item. */
interface Item {
  readonly use: Use;
  readonly beside: Mapping;
}

/** Resolves the items of a pipeline file to components of `registry`; problems are reported. */
export class FileComponents {
  readonly #registry: Registry;
  readonly #texts: Texts;
  readonly #report: (problem: Problem) => void;
  /** False if a module did not load: an unknown component may be one of that module. */
  readonly #complete: boolean;

  constructor(
    registry: Registry,
    texts: Texts,
    report: (problem: Problem) => void,
    complete: boolean,
  ) {
    this.#registry = registry;
    this.#texts = texts;
    this.#report = report;
    this.#complete = complete;
  }

  source(value: unknown, path: Path = ['source']): Use<'source'> | undefined {
    return this.#item('source', value, path)?.use as Use<'source'> | undefined;
  }

  /** The sources of `cameras`, by name. */
  cameras(value: unknown): Record<string, Use<'source'> | undefined> {
    if (!isMapping(value)) {
      const [sample] = this.#registry.names('source');
      const message = `must name each camera and its source, such as "front: { ${sample}: {} }"`;
      this.#report({ path: ['cameras'], message });
      return {};
    }
    const sources = Object.entries(value).map(([name, source]) => {
      return [name, this.source(source, ['cameras', name])] as const;
    });
    return Object.fromEntries(sources);
  }

  operators(value: unknown, path: Path): (OperatorInput | undefined)[] {
    return this.#list(value, path).map((item, index) => {
      const found = this.#item('operator', item, [...path, index]);
      if (!found) return undefined;
      const queue = this.#side('queue', found.beside, [...path, index]);
      const cameras = this.#side('cameras', found.beside, [...path, index]);
      const operator = found.use as Use<'operator'>;
      if (queue && !(operator.definition as { queued?: boolean }).queued) {
        const message = `${operator.definition.name} is synchronous and has no queue; only asynchronous operators and sinks have one`;
        this.#report({ path: [...path, index, 'queue'], key: true, message });
      }
      return {
        operator,
        ...(queue && { queue: toQueueOptions(queue) }),
        ...(cameras && { cameras }),
      };
    });
  }

  sinks(value: unknown): (PartialBranch | undefined)[] {
    return this.#list(value, ['sinks']).map((item, index) => {
      const path = ['sinks', index];
      const found = this.#item('sink', item, path);
      if (!found) return undefined;
      const queue = this.#side('queue', found.beside, path);
      const name = this.#side('name', found.beside, path);
      const onError = this.#side('on-error', found.beside, path);
      const cameras = this.#side('cameras', found.beside, path);
      const operators = this.operators(found.beside.operators, [...path, 'operators']);
      return {
        sink: found.use as Use<'sink'>,
        operators,
        ...(queue && { queue: toQueueOptions(queue) }),
        ...(name !== undefined && { name }),
        ...(onError && { onError }),
        ...(cameras && { cameras }),
      };
    });
  }

  #list(value: unknown, path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value as unknown[];
    this.#report({ path, message: 'must be a list: start each item with "- "' });
    return [];
  }

  /** `{ resize: {...}, queue: {...} }` → the component and its side keys. */
  #item(role: Role, value: unknown, path: Path): Item | undefined {
    const item = typeof value === 'string' ? { [value]: {} } : value;
    if (!isMapping(item)) {
      const sample = this.#registry.names(role)[0] ?? role;
      this.#report({ path, message: `must name ${withArticle(role)}, such as "${sample}"` });
      return undefined;
    }
    const names = Object.keys(item).filter((key) => !sideKeys[role].includes(key));
    // A misspelt side key may come before the component.
    const name = names.find((key) => this.#registry.get(key, role)) ?? names[0];
    if (name === undefined) {
      const message = `names no ${role}; valid: ${this.#registry.names(role).join(', ')}`;
      this.#report({ path, message });
      return undefined;
    }
    for (const extra of names) if (extra !== name) this.#extraKey(role, name, extra, path);
    const definition = this.#registry.get(name, role);
    if (!definition) {
      const message = this.#unknown(role, name);
      if (this.#complete) this.#report({ path: [...path, name], key: true, message });
      return undefined;
    }
    const given = this.#withNested(definition, item[name] ?? {}, [...path, name]);
    const options = this.#texts.fit(definition.options, given, [...path, name]);
    return { use: { role, definition, options } as Use, beside: item };
  }

  /** Options whose nested sources are resolved; what is none has been reported, and stays as `wrongSource`. */
  #withNested(definition: Definition, options: unknown, path: Path): unknown {
    const names = definition.role === 'source' ? (definition.nested ?? []) : [];
    if (names.length === 0 || !isMapping(options)) return options;
    const sources = names
      .filter((name) => options[name] !== undefined)
      .map((name) => {
        const found = this.#item('source', options[name], [...path, name]);
        return [name, found?.use ?? wrongSource] as const;
      });
    return { ...options, ...Object.fromEntries(sources) };
  }

  #extraKey(role: Role, name: string, extra: string, path: Path): void {
    const advice =
      role === 'source'
        ? path[0] === 'source'
          ? 'a pipeline has one source, or several under "cameras", each with a name'
          : 'a camera has one source'
        : 'start a new item for it with "- "';
    const message = this.#registry.get(extra)
      ? `"${extra}" is in the same item as "${name}"; ${advice}`
      : `unknown key "${extra}" beside "${name}"${hint(extra, [...sideKeys[role], name])}`;
    this.#report({ path: [...path, extra], key: true, message });
  }

  #unknown(role: Role, name: string): string {
    const other = this.#registry.get(name);
    if (other) return `"${name}" is ${withArticle(other.role)}, not ${withArticle(role)}`;
    return `unknown ${role} "${name}"${hint(name, this.#registry.names(role))}`;
  }

  #side<K extends keyof typeof sideSchemas>(
    key: K,
    beside: Mapping,
    path: Path,
  ): z.output<(typeof sideSchemas)[K]> | undefined {
    if (beside[key] === undefined) return undefined;
    const schema = sideSchemas[key];
    const value = this.#texts.fit(schema, beside[key], [...path, key]);
    const result = schema.safeParse(value);
    if (result.success) return result.data as z.output<(typeof sideSchemas)[K]>;
    for (const problem of valueProblems(schema, value)) {
      this.#report({ ...problem, path: [...path, key, ...problem.path] });
    }
    return undefined;
  }
}

function withArticle(role: Role): string {
  return role === 'operator' ? 'an operator' : `a ${role}`;
}
