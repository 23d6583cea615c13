import { parse } from 'yaml';
import type { z } from 'zod';
import type { Mapping, Path } from './file-schema.ts';

interface Text {
  readonly path: Path;
  /** As it stands in the file's value. */
  readonly value: unknown;
  readonly other: unknown;
}

/**
 * Texts from the environment and the command line, which may mean a string or a number: `007` is
 * both. The schema of the option that gets one decides.
 */
export class Texts {
  readonly #texts = new Map<string, Text>();

  /** An environment variable's text that stands at `path` now. */
  addVariable(path: Path, text: string): string {
    const read = asYaml(text);
    if (typeof read === 'number' || typeof read === 'boolean') this.#add(path, text, read);
    return text;
  }

  /** A text of `--set`, which is YAML unless the option is a string; gives the value for `path`. */
  addSetting(path: Path, text: string): unknown {
    const read = asYaml(text);
    const isYaml = typeof read === 'object' ? read !== null : /^\s*["']/.test(text);
    return isYaml ? this.#add(path, read, text) : this.#add(path, text, read);
  }

  #add(path: Path, value: unknown, other: unknown): unknown {
    this.#texts.set(JSON.stringify(path), { path, value, other });
    return value;
  }

  /** `value`, which stands at `path`, with every text in it as `schema` takes it. */
  fit(schema: z.ZodType, value: unknown, path: Path): unknown {
    let result = value;
    for (const text of this.#texts.values()) {
      if (!path.every((part, index) => text.path[index] === part)) continue;
      const inside = text.path.slice(path.length);
      if (valueAt(result, inside) !== text.value || fits(schema, result, inside)) continue;
      const other = withValueAt(result, inside, text.other);
      if (fits(schema, other, inside)) result = other;
    }
    return result;
  }
}

function asYaml(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Whether `schema` has no objection to the value at `path` itself. */
function fits(schema: z.ZodType, value: unknown, path: Path): boolean {
  const { error } = schema.safeParse(value);
  return !error?.issues.some((issue) => {
    const [shorter, longer] =
      issue.path.length < path.length ? [issue.path, path] : [path, issue.path];
    const related = shorter.every((part, index) => longer[index] === part);
    // An object's own checks are about more than one of its values; a union's are about all.
    return related && (issue.path.length >= path.length || issue.code === 'invalid_union');
  });
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (current, part) => (current as Record<string | number, unknown> | undefined)?.[part],
    value,
  );
}

function withValueAt(value: unknown, path: Path, replacement: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return replacement;
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      index === part ? withValueAt(item, rest, replacement) : item,
    );
  }
  return {
    ...(value as Mapping),
    [part]: withValueAt((value as Mapping)[part], rest, replacement),
  };
}
