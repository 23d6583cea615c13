import { parse } from 'yaml';
import type { z } from 'zod';
import type { Mapping, Path } from './file-schema.ts';

interface Text {
  readonly path: Path;
  /** The value in the file; `other` is the alternative reading. */
  readonly value: unknown;
  readonly other: unknown;
}

/**
 * Values from the environment and the command line. Their text may be a string or a number (`007`);
 * the schema of the option decides which.
 */
export class Texts {
  readonly #texts = new Map<string, Text>();

  /** Records the text of an environment variable at `path`. */
  addVariable(path: Path, text: string): string {
    const read = asYaml(text);
    if (typeof read === 'number' || typeof read === 'boolean') this.#add(path, text, read);
    return text;
  }

  /** Records the text of `--set` for `path`; returns the value to put there. */
  addSetting(path: Path, text: string): unknown {
    const read = asYaml(text);
    const isYaml = typeof read === 'object' ? read !== null : /^\s*["']/.test(text);
    return isYaml ? this.#add(path, read, text) : this.#add(path, text, read);
  }

  #add(path: Path, value: unknown, other: unknown): unknown {
    this.#texts.set(JSON.stringify(path), { path, value, other });
    return value;
  }

  /** `value` at `path`, with each recorded text inside it read as `schema` accepts it. */
  fit(schema: z.ZodType, value: unknown, path: Path): unknown {
    let result = value;
    for (const text of this.#texts.values()) {
      if (!path.every((part, index) => text.path[index] === part)) continue;
      const inside = text.path.slice(path.length);
      if (valueAt(result, inside) !== text.value || fits(schema, result, inside)) continue;
      const other = withValueAt(result, inside, text.other);
      const isRead = fits(schema, other, inside);
      // Neither is valid: what is said of the value must be about the kind of value that is wanted.
      const isNearer = isOfType(schema, other, inside) && !isOfType(schema, result, inside);
      if (isRead || isNearer) result = other;
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

/** Whether `schema` accepts the part of `value` at `path`. */
function fits(schema: z.ZodType, value: unknown, path: Path): boolean {
  const { error } = schema.safeParse(value);
  return !error?.issues.some((issue) => {
    const [shorter, longer] =
      issue.path.length < path.length ? [issue.path, path] : [path, issue.path];
    const related = shorter.every((part, index) => longer[index] === part);
    // A check of a whole object is not about this part; a failed union may be.
    return related && (issue.path.length >= path.length || issue.code === 'invalid_union');
  });
}

/** Whether the part of `value` at `path` is a string, a number and so on as `schema` wants it, valid or not. */
function isOfType(schema: z.ZodType, value: unknown, path: Path): boolean {
  const place = path.join();
  const isNumber = typeof valueAt(value, path) === 'number';
  const issues = schema.safeParse(value).error?.issues ?? [];
  return !issues.some(
    (issue) =>
      issue.code === 'invalid_type' &&
      issue.path.join() === place &&
      // A fraction and NaN are numbers, if not the wanted ones.
      !(isNumber && ['int', 'number'].includes(issue.expected)),
  );
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
