import { hint } from '../core/did-you-mean.ts';
import { addSecret } from '../core/secrets.ts';
import { isHarmless } from '../core/url-parts.ts';
import { isMapping, type Mapping, type Path, sideKeys } from './file-schema.ts';
import type { Problem } from './pipeline.ts';
import type { Texts } from './texts.ts';

type Report = (problem: Problem) => void;
type Environment = Readonly<Record<string, string | undefined>>;

/** Replaces `${NAME}` and `${NAME:-default}` in every string of `value`, from the environment. */
export function interpolate(
  value: unknown,
  env: Environment,
  texts: Texts,
  report: Report,
  path: Path = [],
): unknown {
  const inside = (item: unknown, key: string | number) =>
    interpolate(item, env, texts, report, [...path, key]);
  if (Array.isArray(value)) return value.map(inside);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inside(item, key)]));
  }
  if (typeof value !== 'string' || !value.includes('${')) return value;
  const text = value.replace(/\$\{([^}]*)\}/g, (all, inner: string, at: number) => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (!match) {
      report({ path, message: `${all} is not of the form \${NAME} or \${NAME:-default}` });
      return '';
    }
    const [, name, fallback] = match as unknown as [string, string, string | undefined];
    const found = env[name] || fallback;
    if (found !== undefined) {
      // In the path or query of a URL it may be a token that nothing else shows to be one.
      if (/:\/\/[^\s/]*\//.test(value.slice(0, at)) && !isHarmless(found)) addSecret(found);
      return found;
    }
    const state = env[name] === undefined ? 'not set' : 'empty';
    report({
      path,
      message: `environment variable ${name} is ${state}; set it or write \${${name}:-default}`,
    });
    return '';
  });
  return texts.addVariable(path, text);
}

/**
 * Applies `--set a.b=c`; a list item is named by its index or its component
 * (`sinks.0.file.format=npy`, `sinks.file.format=npy`).
 */
export function applySettings(
  file: Mapping,
  settings: readonly string[],
  texts: Texts,
  report: Report,
): void {
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const keys = setting.slice(0, at).split('.');
    if (at < 1 || keys.some((key) => key === '' || key === '__proto__')) {
      report({ path: [], message: `--set ${setting}: write it as path.to.option=value` });
      continue;
    }
    const target = targetOf(file, keys);
    if (typeof target === 'string') report({ path: [], message: `--set ${setting}: ${target}` });
    else target.parent[target.key] = texts.addSetting(target.path, setting.slice(at + 1));
  }
}

type Slots = Record<string | number, unknown>;

/** Where a setting goes. */
interface Target {
  readonly parent: Slots;
  readonly key: string | number;
  readonly path: Path;
}

/** Creates missing maps on the path. Returns a message if the path does not exist. */
function targetOf(file: Mapping, keys: readonly string[]): Target | string {
  let target: Target = { parent: file as Slots, key: keys[0] as string, path: keys.slice(0, 1) };
  for (const [index, next] of keys.slice(1).entries()) {
    const trail = keys.slice(0, index + 1).join('.');
    const inner = valueIn(target, next);
    if (inner === undefined) return `${trail} has no options`;
    if (!Array.isArray(inner)) {
      target = { parent: inner, key: next, path: [...target.path, next] };
      continue;
    }
    const at = listIndex(inner, next);
    if (at === undefined) {
      return `${trail} is a list of ${inner.length}; "${next}" is not in it${itemHint(inner, next)}`;
    }
    target = { parent: inner as never, key: at, path: [...target.path, at] };
    const beside = sideKeys.sink.includes(keys[index + 2] ?? '');
    if (/^\d+$/.test(next) || beside) continue;
    // `sinks.file.format` is an option of the component that the item names.
    const item = valueIn(target, next) as Slots;
    target = { parent: item, key: next, path: [...target.path, next] };
  }
  return target;
}

/** The map or list at `target`, created if missing; a component's bare name becomes a map. */
function valueIn({ parent, key }: Target, next: string): Slots | unknown[] | undefined {
  const value = parent[key];
  if (value === undefined || value === null) parent[key] = {};
  else if (value === next || (typeof value === 'string' && Array.isArray(parent))) {
    parent[key] = { [value as string]: {} };
  }
  const inner = parent[key];
  return typeof inner === 'object' ? (inner as Slots) : undefined;
}

/** A list item by its number, or by the component it names (`sinks.file.format`). */
function listIndex(list: readonly unknown[], key: string): number | undefined {
  const index = /^\d+$/.test(key) ? Number(key) : list.findIndex((item) => names(item, key));
  return index >= 0 && index < list.length ? index : undefined;
}

/** Names the item that is most likely meant. */
function itemHint(list: readonly unknown[], key: string): string {
  const last = list.length - 1;
  if (/^\d+$/.test(key)) return last < 0 ? '' : `; valid: 0 to ${last}`;
  const keys = list.flatMap((item) => (isMapping(item) ? Object.keys(item) : [String(item)]));
  return hint(
    key,
    keys.filter((name) => !sideKeys.sink.includes(name)),
  );
}

function names(item: unknown, component: string): boolean {
  return item === component || (typeof item === 'object' && item !== null && component in item);
}
