import { parse } from 'yaml';
import type { Problem } from './pipeline.ts';

type Mapping = Record<string, unknown>;
type Report = (problem: Problem) => void;

/** Replaces `${NAME}` and `${NAME:-default}` in every text of `value`, from the environment. */
export function interpolate(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
  path: readonly (string | number)[] = [],
): Mapping {
  return walk(value, env, report, path) as Mapping;
}

function walk(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
  report: Report,
  path: readonly (string | number)[],
): unknown {
  if (Array.isArray(value)) return value.map((v, i) => walk(v, env, report, [...path, i]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, v]) => [key, walk(v, env, report, [...path, key])]),
    );
  }
  if (typeof value !== 'string' || !value.includes('${')) return value;
  const whole = /^\$\{[^}]*\}$/.test(value);
  const text = value.replace(/\$\{([^}]*)\}/g, (all, inner: string) => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (!match) {
      report({ path, message: `${all} is not of the form \${NAME} or \${NAME:-default}` });
      return '';
    }
    const [, name, fallback] = match as unknown as [string, string, string | undefined];
    const found = env[name] || fallback;
    if (found !== undefined) return found;
    report({
      path,
      message: `environment variable ${name} is not set; set it or write \${${name}:-default}`,
    });
    return '';
  });
  // A value that is one variable alone may be a number or true; within a text it stays text.
  return whole ? scalar(text) : text;
}

function scalar(text: string): unknown {
  return /^(true|false|-?\d+(\.\d+)?)$/.test(text) ? parse(text) : text;
}

/** Applies `--set a.b=c` (lists by index: `sinks.0.file.format=npy`); values are read as YAML. */
export function applySettings(target: Mapping, settings: readonly string[], report: Report): void {
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const keys = setting.slice(0, at).split('.');
    if (at < 1 || keys.some((key) => key === '' || key === '__proto__')) {
      report({ path: [], message: `--set ${setting}: write it as path.to.option=value` });
      continue;
    }
    const problem = assign(target, keys, setting.slice(at + 1));
    if (problem) report({ path: [], message: `--set ${setting}: ${problem}` });
  }
}

function assign(target: Mapping, keys: readonly string[], text: string): string | undefined {
  let current: unknown = target;
  for (const [depth, key] of keys.entries()) {
    const last = depth === keys.length - 1;
    const trail = keys.slice(0, depth).join('.');
    if (Array.isArray(current)) {
      const index = listIndex(current, key);
      if (index === undefined) {
        return `${trail} is a list of ${current.length}; "${key}" is not in it`;
      }
      if (last) current[index] = read(text);
      else current = inItem(current, index, key, keys[depth + 1] as string);
    } else if (typeof current !== 'object' || current === null) {
      return `${trail} has no options`;
    } else if (last) {
      (current as Mapping)[key] = read(text);
    } else {
      current = (current as Mapping)[key] ??= {};
    }
  }
  return undefined;
}

/** A list item by its number, or by the component it names (`sinks.file.format`). */
function listIndex(list: readonly unknown[], key: string): number | undefined {
  const index = /^\d+$/.test(key) ? Number(key) : list.findIndex((item) => names(item, key));
  return index >= 0 && index < list.length ? index : undefined;
}

function names(item: unknown, component: string): boolean {
  return item === component || (typeof item === 'object' && item !== null && component in item);
}

const besideComponent = ['queue', 'operators', 'name', 'on-error'];

/** Where the next key belongs: `sinks.file.format` is an option, `sinks.file.queue` stands beside. */
function inItem(list: unknown[], index: number, key: string, next: string): unknown {
  if (typeof list[index] === 'string') list[index] = { [list[index] as string]: {} };
  const item = list[index] as Mapping;
  if (/^\d+$/.test(key) || besideComponent.includes(next)) return item;
  item[key] ??= {};
  return item[key];
}

function read(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
