import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Definition } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { type TestContext, testContext } from './test-context.ts';

/** `describe` and `test` of the test runner in use: Vitest, Jest, or `node:test`. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/** What every suite may be told about the component under test. */
export interface Subject {
  /**
   * Options as in a pipeline file, or a function that is called whenever an instance is made.
   * Default: the component's first example.
   */
  readonly options?: unknown;
  /** Overrides of an instance's context. Its `baseDirectory` is a new, empty folder by default. */
  context?(): Partial<ComponentContext>;
  /** How long a test waits for what the component must do, milliseconds. Default: 30,000. */
  readonly patienceMs?: number;
}

/** An instance of the component, and the context that it was created with. */
export interface Instance<Created> {
  readonly created: Created;
  readonly context: TestContext;
}

type Create<Created> = (
  overrides?: Partial<ComponentContext>,
  options?: unknown,
) => Promise<Instance<Created>>;

/**
 * The body of a test that creates instances: each in a folder of its own, closed and removed at the
 * end of the test.
 */
export function withInstances<D extends Definition>(
  definition: D,
  subject: Subject,
  body: (create: Create<Awaited<ReturnType<D['create']>>>) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const contexts: TestContext[] = [];
    const folders: string[] = [];
    try {
      await body(async (overrides = {}, options) => {
        const baseDirectory = await mkdtemp(join(tmpdir(), 'depthline-test-'));
        folders.push(baseDirectory);
        const given = {
          name: definition.name,
          baseDirectory,
          ...subject.context?.(),
          ...overrides,
        };
        const context = testContext(given);
        contexts.push(context);
        const parsed = definition.options.parse(options ?? (await optionsOf(definition, subject)));
        const created = await definition.create(parsed, context);
        return { created: created as Awaited<ReturnType<D['create']>>, context };
      });
    } finally {
      for (const context of contexts) await context.close();
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    }
  };
}

export async function optionsOf(definition: Definition, { options }: Subject): Promise<unknown> {
  if (typeof options === 'function') return options();
  return options ?? definition.examples[0];
}

/** Tests of what a definition says about itself, whatever its role. */
export function describesItself(
  definition: Definition,
  subject: Subject,
  { test }: TestRunner,
): void {
  test('has a summary: one sentence', async () => {
    assert.match(definition.summary, /^\S.*\.$/);
  });

  test('has examples that its options accept', async () => {
    assert.ok(definition.examples.length > 0, 'there is no example');
    for (const example of definition.examples) definition.options.parse(example);
  });

  test('describes each option', async () => {
    const schema = z.toJSONSchema(definition.options, { io: 'input', unrepresentable: 'any' });
    assert.deepEqual(undescribed(schema as JsonSchema), []);
  });

  test('names options where it says which can change while it runs', async () => {
    const schema = z.toJSONSchema(definition.options, { io: 'input', unrepresentable: 'any' });
    const names = Object.keys((schema as JsonSchema).properties ?? {});
    assert.deepEqual(
      (definition.adjustable ?? []).filter((name) => !names.includes(name)),
      [],
    );
  });

  test('refuses unknown options', async () => {
    const options = (await optionsOf(definition, subject)) as object;
    const result = definition.options.safeParse({ ...options, 'no-such-option': 1 });
    assert.equal(result.success, false, 'make its options a z.strictObject');
  });
}

/** The options of an instance with those that are `adjustable` as in each example. */
export async function adjustments(definition: Definition, subject: Subject): Promise<unknown[]> {
  const { adjustable = [], options, examples } = definition;
  const own = (await optionsOf(definition, subject)) as object;
  return examples
    .map((example) => example as Readonly<Record<string, unknown>>)
    .map((other) => ({
      ...own,
      ...Object.fromEntries(adjustable.map((name) => [name, other[name]])),
    }))
    .map((mixed) => options.safeParse(mixed))
    .filter(({ success }) => success)
    .map(({ data }) => data);
}

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
}

/** Options without a description, as paths. */
function undescribed(schema: JsonSchema, path: readonly string[] = []): string[] {
  const { properties = {}, anyOf = [], items } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, option]) => [
      ...(option.description ? [] : [[...path, name].join('.')]),
      ...undescribed(option, [...path, name]),
    ]),
    ...anyOf.flatMap((one) => undescribed(one, path)),
    ...(items ? undescribed(items, path) : []),
  ];
}

/** Waits for a condition that the component itself brings about, however slow the machine is. */
export async function until(
  condition: () => boolean,
  what: string,
  { patienceMs = 30_000 }: Subject,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not within ${patienceMs} ms: ${what}`);
    await pause();
  }
}

/** Lets what has been set off go on for a moment. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
