import { z } from 'zod';
import { hint, nearest } from './did-you-mean.ts';
import { mask } from './secrets.ts';

/**
 * A problem with a value. The message of a value is a predicate ("must be a number"), the message of
 * a key a whole sentence.
 */
export interface ValueProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The problem is the key at `path`, not its value. */
  readonly key?: true;
}

/** All problems of `value`, each at its path. Messages of the schema itself take precedence. */
export function valueProblems(schema: z.ZodType, value: unknown): ValueProblem[] {
  const result = schema.safeParse(value, { error: (issue) => wording(issue, schema) });
  if (result.success) return [];
  const issues = result.error.issues.flatMap(ofUnion).filter(isTightest);
  const misspelt = new Set<string>();
  const unknown = issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const path = issue.path as (string | number)[];
    const valid = keysAt(schema, path);
    return issue.keys.map((key): ValueProblem => {
      const meant = nearest(key, valid);
      if (meant !== undefined) misspelt.add(formatPath([...path, meant]));
      const message = `unknown option "${key}"${hint(key, valid)}`;
      return { path: [...path, key], key: true, message };
    });
  });
  const others = issues.flatMap((issue): ValueProblem[] => {
    if (issue.code === 'unrecognized_keys') return [];
    const path = issue.path as (string | number)[];
    if (issue.code === 'invalid_key') {
      const [why] = issue.issues;
      return [{ path, key: true, message: `the name "${path.at(-1)}" ${why?.message}` }];
    }
    if (!isMissing(issue, value)) return [{ path, message: issue.message }];
    // A misspelt option is not reported as missing too.
    if (misspelt.has(formatPath(path))) return [];
    const message = `missing option "${path.at(-1)}"${describe(schema, path)}`;
    return [{ path, key: true, message }];
  });
  return [...others, ...unknown];
}

/** Of the forms that a value may have, the problems of the one that it has; else that it has none of them. */
function ofUnion(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [form, ...more] = issue.errors.filter(
    (inner) => !inner.some(({ code, path }) => path.length === 0 && typeCodes.has(code)),
  );
  if (!form || form.length === 0 || more.length > 0) return [issue];
  return form.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** The limit of whole numbers is not reported beside a tighter one of the option. */
function isTightest({ code, path }: z.core.$ZodIssue, index: number, all: z.core.$ZodIssue[]) {
  if (code !== 'too_big' && code !== 'too_small') return true;
  const place = formatPath(path as string[]);
  const later = all.slice(index + 1);
  return !later.some(
    (other) => other.code === code && formatPath(other.path as string[]) === place,
  );
}

const typeCodes = new Set(['invalid_type', 'invalid_value', 'invalid_union']);

function isMissing({ code, path }: z.core.$ZodIssue, value: unknown): boolean {
  return path.length > 0 && typeCodes.has(code) && valueAt(value, path as string[]) === undefined;
}

/** The message of an issue whose schema does not define one. */
function wording(issue: z.core.$ZodRawIssue, schema: z.ZodType): string | undefined {
  const given = issue.input;
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = typeNames[issue.expected] ?? issue.expected;
      const quoted =
        issue.expected === 'string' && isScalar(given) ? `; write it in quotes: "${given}"` : '';
      return `must be ${wanted}, not ${show(given)}${quoted}`;
    }
    case 'invalid_value':
      return `${show(given)} is not valid${hint(String(given), issue.values.map(String))}`;
    case 'invalid_union':
      return `${show(given)} is not valid${describe(schema, (issue.path ?? []) as string[])}`;
    case 'too_small':
      if (given === '') return 'must not be empty';
      return limit(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum);
    case 'too_big':
      return limit(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      if (issue.format === 'datetime')
        return `${show(given)} is not a time: write it like 2026-01-31T08:00:00Z`;
      return issue.pattern ? `must match ${issue.pattern}` : `is not a valid ${issue.format}`;
    case 'custom':
      return 'is not valid';
    default:
      return undefined;
  }
}

function limit(origin: string, how: string, bound: number | bigint): string {
  if (origin === 'string') return `must have ${how} ${bound} character${bound === 1 ? '' : 's'}`;
  if (origin === 'array') return `must have ${how} ${bound} item${bound === 1 ? '' : 's'}`;
  return `must be ${how} ${bound}`;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

const typeNames: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map of options',
  record: 'a map of options',
};

function show(value: unknown): string {
  // Masked before it is cut: half a secret would not be recognised.
  // JSON writes infinity and NaN as null.
  const json = typeof value === 'number' ? undefined : JSON.stringify(value);
  const text = mask(json ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const part of path)
    current = (current as Record<string | number, unknown> | undefined)?.[part];
  return current;
}

/** The schema at `path`, if all its parents are maps or lists. */
function schemaAt(schema: z.ZodType, path: readonly (string | number)[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject) current = current.shape[part] as z.ZodType | undefined;
    else if (current instanceof z.ZodArray) current = current.element as z.ZodType;
    else if (current instanceof z.ZodRecord) current = current.valueType as z.ZodType;
    else return undefined;
    if (current && part !== path.at(-1)) current = unwrap(current);
  }
  return current;
}

function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema;
  for (;;) {
    if (current instanceof z.ZodOptional || current instanceof z.ZodDefault) {
      current = current.unwrap() as z.ZodType;
    } else if (current instanceof z.ZodPipe) {
      current = current.in as z.ZodType;
    } else {
      return current;
    }
  }
}

function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const at = schemaAt(schema, path);
  const object = at && unwrap(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function describe(schema: z.ZodType, path: readonly (string | number)[]): string {
  const description = schemaAt(schema, path)?.description;
  return description ? `: ${description}` : '';
}

/** The message with its path: `input: unknown option "colour"`. */
export function formatProblem({ path, key, message }: ValueProblem): string {
  const place = formatPath(key ? path.slice(0, -1) : path);
  return place ? `${place}: ${message}` : message;
}

/** `['sinks', 0, 'file', 'directory']` → `sinks[0].file.directory`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${part}` : part,
    '',
  );
}
