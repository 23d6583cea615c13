import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { builtins } from '../src/builtins.ts';
import { packageDirectory } from '../src/core/entry-point.ts';
import { optionsSchema } from '../src/pipeline/json-schema.ts';
import { depthline } from './support/cli.ts';

const root = packageDirectory();
const pipelines = readdirSync(join(root, 'pipelines'));

interface OptionSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, OptionSchema>>;
}

/** Options without a description, as paths. */
function undescribed(schema: OptionSchema, path: readonly string[] = []): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, option]) => [
    ...(option.description ? [] : [[...path, name].join('.')]),
    ...undescribed(option, [...path, name]),
  ]);
}

describe.each(builtins.list())('$role $name', (definition) => {
  it('stands in a file of its name', () => {
    expect(existsSync(join(root, 'src', `${definition.role}s`, `${definition.name}.ts`))).toBe(
      true,
    );
  });

  it('has a summary, and a description for each option', () => {
    expect(definition.summary).toMatch(/^[A-Z].*\.$/);
    expect(undescribed(optionsSchema(definition))).toEqual([]);
  });

  it('has examples that are right', () => {
    expect(definition.examples.length).toBeGreaterThan(0);
    for (const example of definition.examples) definition.options.parse(example);
  });
});

it('every component file is registered', () => {
  for (const role of ['source', 'operator', 'sink'] as const) {
    const names = builtins.names(role);
    const files = readdirSync(join(root, 'src', `${role}s`)).map((name) => name.replace('.ts', ''));
    expect(files).toEqual(expect.arrayContaining(names));
    for (const file of files.filter((name) => !names.includes(name))) {
      // What components of a folder share.
      expect(readFileSync(join(root, 'src', `${role}s`, `${file}.ts`), 'utf8')).not.toMatch(
        /= define(Source|Operator|Sink)\(/,
      );
    }
  }
});

describe('what is made from the components', () => {
  it('docs/reference.md is up to date', async () => {
    const { stdout } = await depthline(['describe', '--all', '--markdown']);
    expect(readFileSync(join(root, 'docs/reference.md'), 'utf8')).toBe(stdout);
  });

  it('pipeline.schema.json is up to date', async () => {
    const { stdout } = await depthline(['schema']);
    expect(readFileSync(join(root, 'pipeline.schema.json'), 'utf8')).toBe(stdout);
  });

  const schema = JSON.parse(readFileSync(join(root, 'pipeline.schema.json'), 'utf8'));
  const validate = new Ajv2020({ strict: false }).compile(schema);

  it.each(pipelines)('the schema accepts %s', (name) => {
    // An editor sees variables as text; where they stand for numbers the loader knows better.
    const text = readFileSync(join(root, 'pipelines', name), 'utf8');
    const filled = text.replace(/\$\{\w+:-([^}]*)\}/g, '$1');
    expect(validate(parse(filled)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['a misspelt option', { source: { 'test-pattern': { widht: 3 } }, sinks: ['discard'] }],
    ['an unknown component', { source: 'nothing', sinks: ['discard'] }],
    ['a missing source', { sinks: ['discard'] }],
    ['a wrong type', { source: { 'test-pattern': { width: 'wide' } }, sinks: ['discard'] }],
    [
      'a wrong policy',
      { source: 'test-pattern', sinks: [{ discard: {}, queue: { 'when-full': 'x' } }] },
    ],
  ])('the schema refuses %s', (_, file) => {
    expect(validate(file)).toBe(false);
  });
});

it('are listed by name, of one name the source first', () => {
  const listed = builtins.list();
  expect(listed.map(({ name }) => name)).toEqual(listed.map(({ name }) => name).toSorted());
  const roles = (name: string) => listed.filter((one) => one.name === name).map(({ role }) => role);
  for (const name of ['mcap', 'nats', 'ros1', 'zeromq'])
    expect(roles(name)).toEqual(['source', 'sink']);
});
