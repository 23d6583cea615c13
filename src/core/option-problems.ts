import { z } from 'zod';
import { hint } from './did-you-mean.ts';

/** A problem with a value: where in it, and what is wrong. */
export interface ValueProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The problem is the key at `path`, not its value. */
  readonly key?: true;
}

/** Zod's issues in the words of this project, each at its own place, typos with a hint. */
export function valueProblems(schema: z.ZodType, value: unknown): ValueProblem[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => translate(issue, schema, value));
}

function translate(issue: z.core.$ZodIssue, schema: z.ZodType, value: unknown): ValueProblem[] {
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    const valid = keysAt(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown option "${key}"${hint(key, valid)}`,
      key: true,
    }));
  }
  const given = valueAt(value, path);
  if (issue.code === 'invalid_type') {
    if (given === undefined) return [{ path, message: `is missing${describe(schema, path)}` }];
    // A schema's own message (a duration without its unit) says more than the type does.
    if (!issue.message.startsWith('Invalid input')) return [{ path, message: issue.message }];
    return [{ path, message: `must be ${article(issue.expected)}, not ${show(given)}` }];
  }
  if (issue.code === 'invalid_value') {
    const valid = issue.values.map(String);
    return [{ path, message: `${show(given)} is not valid here${hint(String(given), valid)}` }];
  }
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    return [
      { path, message: `${show(given)} fits none of the forms allowed${describe(schema, path)}` },
    ];
  }
  if (given === '') return [{ path, message: 'must not be empty' }];
  const message = issue.message.replace(/^Too (big|small): expected \w+ to (be|have)/, 'must $2');
  return [{ path, message }];
}

const names: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of options',
  record: 'a map of options',
};

function article(expected: string): string {
  return names[expected] ?? expected;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const part of path)
    current = (current as Record<string | number, unknown> | undefined)?.[part];
  return current;
}

/** The schema of the option at `path`, as far as it can be followed. */
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

/** `['sinks', 0, 'file', 'directory']` → `sinks[0].file.directory`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${part}` : part,
    '',
  );
}
