import { isDeepStrictEqual } from 'node:util';
import type { Definition } from '../core/component.ts';
import type { QueueOptions } from '../core/queue-options.ts';
import { isSecretName, mask } from '../core/secrets.ts';
import type { Bound, BranchStep, OperatorStep, Pipeline } from './pipeline.ts';

/** A difference that a run takes while it runs. */
export type LiveChange =
  | { readonly of: 'options'; readonly path: string; readonly from: unknown; readonly to: unknown }
  | {
      readonly of: 'queue';
      readonly path: string;
      readonly from: QueueOptions;
      readonly to: QueueOptions;
    };

/** What differs between two pipelines. */
export interface PipelineChanges {
  /** What changes while it runs. */
  readonly live: readonly LiveChange[];
  /** The same in words: `operators[1] smooth: alpha: 0.4 → 0.7`. */
  readonly changed: readonly string[];
  /** What cannot change while it runs, in words. */
  readonly restart: readonly string[];
}

/** Compares what runs with what a pipeline file says now. Descriptions and tests do not count. */
export function pipelineChanges(from: Pipeline, to: Pipeline): PipelineChanges {
  const found = new Changes();
  found.component(`source ${from.source.definition.name}`, from.source, to.source, 'source');
  found.operators('operators', from.operators, to.operators);
  found.branches(from.branches, to.branches);
  if (from.baseDirectory !== to.baseDirectory)
    found.restart.push(`base directory: ${from.baseDirectory} → ${to.baseDirectory}`);
  return found;
}

class Changes implements PipelineChanges {
  readonly live: LiveChange[] = [];
  readonly changed: string[] = [];
  readonly restart: string[] = [];

  operators(place: string, from: readonly OperatorStep[], to: readonly OperatorStep[]): void {
    if (!isDeepStrictEqual(namesOf(from), namesOf(to))) {
      this.restart.push(`${place}: ${list(namesOf(from))} → ${list(namesOf(to))}`);
      return;
    }
    for (const [index, before] of from.entries()) this.#operator(before, to[index] as OperatorStep);
  }

  branches(from: readonly BranchStep[], to: readonly BranchStep[]): void {
    if (!isDeepStrictEqual(namesOf(from), namesOf(to))) {
      this.restart.push(`sinks: ${list(namesOf(from))} → ${list(namesOf(to))}`);
      return;
    }
    for (const [index, before] of from.entries()) {
      const after = to[index] as BranchStep;
      const { path, name, onError, queue, operators, sink } = before;
      this.component(path, sink, after.sink, `sink "${name}"`);
      this.#queue(path, queue, after.queue);
      this.#fixed(path, 'on-error', onError, after.onError);
      this.#fixed(path, 'takes', before.takes, after.takes);
      this.operators(`operators of ${path}`, operators, after.operators);
    }
  }

  component(
    path: string,
    from: Bound<Definition>,
    to: Bound<Definition>,
    /** What it is called where another component stands in its place. */
    place: string,
  ): void {
    const { name, adjustable = [] } = from.definition;
    if (name !== to.definition.name) {
      this.restart.push(`${place}: ${name} → ${to.definition.name}`);
      return;
    }
    if (from.definition !== to.definition) {
      this.restart.push(`${path}: another component of that name`);
      return;
    }
    const keys = differingKeys(from.options, to.options);
    const before = from.options as Options;
    const after = to.options as Options;
    const live = keys.filter((key) => adjustable.includes(key));
    for (const key of keys) {
      const words = difference(path, key, before[key], after[key]);
      (live.includes(key) ? this.changed : this.restart).push(words);
    }
    if (live.length > 0)
      this.live.push({ of: 'options', path, from: from.options, to: to.options });
  }

  #operator(from: OperatorStep, to: OperatorStep): void {
    const { path, component, operator, queue } = from;
    if (component && to.component) this.component(path, component, to.component, path);
    else if (component || to.component || operator !== to.operator)
      this.restart.push(`${path}: another function`);
    this.#queue(path, queue, to.queue);
  }

  #queue(path: string, from: QueueOptions, to: QueueOptions): void {
    const keys = differingKeys(from, to);
    if (keys.length === 0) return;
    for (const key of keys as (keyof QueueOptions)[])
      this.changed.push(difference(path, `queue.${queueKeys[key]}`, from[key], to[key]));
    this.live.push({ of: 'queue', path, from, to });
  }

  #fixed(path: string, key: string, from: unknown, to: unknown): void {
    if (from !== to) this.restart.push(difference(path, key, from, to));
  }
}

type Options = Readonly<Record<string, unknown>>;

/** As in a pipeline file. */
const queueKeys: Readonly<Record<keyof QueueOptions, string>> = {
  limit: 'limit',
  whenFull: 'when-full',
  maxAgeMs: 'max-age',
};

function differingKeys(from: unknown, to: unknown): string[] {
  const [before, after] = [from as Options, to as Options];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]));
}

function difference(path: string, key: string, from: unknown, to: unknown): string {
  const text = (value: unknown) =>
    isSecretName(key) && value !== undefined ? '***' : shown(value);
  const [before, after] = [text(from), text(to)];
  // Two different secrets are masked alike.
  if (before === after && before?.includes('***'))
    return `${path}: ${key}: ${before}, with another secret`;
  return `${path}: ${key}: ${before} → ${after}`;
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  return JSON.stringify(value, (key, inner: unknown) => {
    if (isSecretName(key)) return '***';
    if (typeof inner === 'bigint') return String(inner);
    // A secret with a quote in it is not found in JSON, which escapes it.
    return typeof inner === 'string' ? mask(inner) : inner;
  });
}

function namesOf(steps: readonly { readonly name: string }[]): string[] {
  return steps.map(({ name }) => name);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
