import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { defineOperator } from '../../src/core/component.ts';
import { Registry } from '../../src/core/registry.ts';
import { duration } from '../../src/core/units.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, slow, ticker } from '../support/parts.ts';

const depthOnly = defineOperator({
  name: 'depth-only',
  summary: 'Takes depth, for tests.',
  accepts: ['depth'],
  emits: ['depth'],
  options: z.strictObject({ wait: duration().optional().describe('how long') }),
  examples: [{}],
  create: async () => (input) => input,
});

const depthMaker = defineOperator({
  name: 'depth-maker',
  summary: 'Makes depth of pictures, for tests.',
  accepts: ['image'],
  emits: ['depth'],
  options: z.strictObject({}),
  examples: [{}],
  create: async () => (input) => input,
});

const registry = new Registry([ticker, slow, depthOnly, depthMaker, collector(new VirtualClock())]);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'depthline-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function problems(text: string, extra = {}): Promise<string[]> {
  const loaded = await parsePipeline(text, join(directory, 'p.yaml'), { registry, ...extra });
  expect(loaded.pipeline === undefined).toBe(loaded.problems.length > 0);
  return loaded.problems.map((p) => `${p.line}:${p.column} ${p.message}`);
}

const good = `description: fine
source:
  ticker: { frames: 3 }
operators:
  - slow: { ms: 1 }
    queue: { limit: 2, when-full: drop-oldest, max-age: 100ms }
sinks:
  - collector: {}
  - collector
`;

describe('a pipeline file', () => {
  it('becomes a pipeline with checked options, queues and names', async () => {
    const { pipeline } = await parsePipeline(good, 'dir/p.yaml', { registry });
    expect(pipeline?.name).toBe('p');
    expect(pipeline?.operators[0]?.queue).toEqual({
      limit: 2,
      whenFull: 'drop-oldest',
      maxAgeMs: 100,
    });
    expect(pipeline?.branches.map((branch) => branch.name)).toEqual(['collector', 'collector-2']);
  });

  it.each([
    [
      'an empty file',
      '',
      ['1:1 the file is empty; a pipeline needs at least "source" and "sinks"'],
    ],
    [
      'something that is no map',
      '- a\n',
      ['1:1 a pipeline file is a map with "source", "operators" and "sinks"'],
    ],
    [
      'an unknown key',
      good.replace('operators:', 'operator:'),
      ['4:1 unknown key "operator"; did you mean "operators"?'],
    ],
    [
      'an unknown option',
      good.replace('frames: 3', 'frame: 3'),
      ['3:13 unknown option "frame"; did you mean "frames"?'],
    ],
    [
      'a wrong type',
      good.replace('frames: 3', 'frames: many'),
      ['3:21 frames: must be a number, not "many"'],
    ],
    [
      'a number without its unit',
      good.replace('100ms', '100'),
      ['6:57 max-age: needs a unit: 100ms, 100s, 100min or 100h'],
    ],
    [
      'a wrong unit',
      good.replace('100ms', '100px'),
      [
        '6:57 max-age: is not a duration: write a number and a unit, such as 100ms, 2s, 1.5min or 1h',
      ],
    ],
    [
      'an unknown component',
      good.replace('- slow', '- slwo'),
      ['5:5 unknown operator "slwo"; did you mean "slow"?'],
    ],
    [
      'a component of another role',
      good.replace('- slow:', '- ticker:').replace('{ ms: 1 }', '{}'),
      ['5:5 "ticker" is a source, not an operator'],
    ],
    [
      'a kind mismatch',
      good.replace(
        'slow: { ms: 1 }\n    queue: { limit: 2, when-full: drop-oldest, max-age: 100ms }',
        'depth-only',
      ),
      ['5:5 depth-only accepts depth frames, but ticker emits image; put "depth-maker" before it'],
    ],
    [
      'duplicate names',
      good.replace(
        '- collector: {}\n  - collector',
        '- collector: {}\n    name: a\n  - collector: {}\n    name: a',
      ),
      ['11:11 name: another sink is named "a"; names must differ'],
    ],
    ['no source', good.replace(/source:\n.*\n/, ''), ['1:1 has no "source"']],
    [
      'no sink',
      good.slice(0, good.indexOf('sinks:')),
      ['1:1 sinks: needs at least one sink ("discard" only counts frames)'],
    ],
  ])('with %s gets one clear message', async (_, text, expected) => {
    expect(await problems(text)).toEqual(expected);
  });

  it('with invalid YAML or a duplicate key gets the position', async () => {
    expect(await problems('source: {ticker: {frames: 3}\n')).toEqual([
      expect.stringMatching(/^2:1 not valid YAML: .*flow map/i),
    ]);
    expect(await problems(`${good}sinks: []\n`)).toEqual([
      expect.stringMatching(/^10:1 not valid YAML: .*unique/i),
    ]);
  });

  it('gets all problems at once', async () => {
    const text = good
      .replace('frames: 3', 'frames: many')
      .replace('- slow', '- slwo')
      .replace('description', 'descripton');
    expect(await problems(text)).toHaveLength(3);
  });

  it('takes values from the environment, and names a missing variable', async () => {
    const text = good.replace('frames: 3', 'frames: "${FRAMES}"');
    const { pipeline } = await parsePipeline(text, 'p.yaml', { registry, env: { FRAMES: '7' } });
    expect(pipeline?.source.options).toMatchObject({ frames: 7 });
    expect(await problems(text, { env: {} })).toContain(
      '3:21 frames: environment variable FRAMES is not set; set it or write ${FRAMES:-default}',
    );
    expect(await problems(text, { env: { FRAMES: '' } })).toContain(
      '3:21 frames: environment variable FRAMES is empty; set it or write ${FRAMES:-default}',
    );
    const fallback = good.replace('frames: 3', 'frames: "${FRAMES:-9}"');
    for (const env of [{}, { FRAMES: '' }]) {
      const loaded = await parsePipeline(fallback, 'p.yaml', { registry, env });
      expect(loaded.pipeline?.source.options).toMatchObject({ frames: 9 });
    }
  });

  it('takes --set values, by index or by component', async () => {
    const set = ['source.ticker.frames=11', 'operators.slow.ms=4', 'sinks.0.name=first'];
    const { pipeline, problems: found } = await parsePipeline(good, 'p.yaml', { registry, set });
    expect(found).toEqual([]);
    expect(pipeline?.source.options).toMatchObject({ frames: 11 });
    expect(pipeline?.branches[0]?.name).toBe('first');
    expect(pipeline?.operators[0]?.component?.options).toMatchObject({ ms: 4 });
    expect(await problems(good, { set: ['operators.smooth.ms=4'] })).toEqual([
      '1:1 --set operators.smooth.ms=4: operators is a list of 1; "smooth" is not in it; valid: slow',
    ]);
    expect(await problems(good, { set: ['nonsense'] })).toEqual([
      '1:1 --set nonsense: write it as path.to.option=value',
    ]);
  });

  it.each([
    ['source.tiker.frames=3', 'unknown key "tiker" beside "ticker"; did you mean "ticker"?'],
    ['sorce.ticker.frames=3', 'unknown key "sorce"; did you mean "source"?'],
    ['source.ticker.frame=3', 'unknown option "frame"; did you mean "frames"?'],
    ['operators.solw.ms=4', '"solw" is not in it; did you mean "slow"?'],
    ['operators.0.solw.ms=4', 'unknown key "solw" beside "slow"; did you mean "slow"?'],
    ['operators.slow.queue.limt=4', 'unknown option "limt"; did you mean "limit"?'],
    ['sinks.colector.a=4', '"colector" is not in it; did you mean "collector"?'],
    ['sinks.0.queu.limit=4', 'unknown key "queu" beside "collector"; did you mean "queue"?'],
    ['sinks.2.name=a', 'sinks is a list of 2; "2" is not in it; valid: 0 to 1'],
    ['source.slow.ms=3', '"slow" is in the same item as "ticker"; a pipeline has one source'],
  ])('says what a misspelt --set most likely means: %s', async (set, message) => {
    expect(await problems(good, { set: [set] })).toEqual([expect.stringContaining(message)]);
  });

  it('adds a user’s components by `use`, and checks their options', async () => {
    const module = join(directory, 'mine.mjs');
    await writeFile(
      module,
      `import { z } from '${import.meta.resolve('zod')}';
       export const brighter = {
         role: 'operator', name: 'brighter', summary: 'Brighter.', accepts: ['image'], emits: ['image'],
         options: z.strictObject({ by: z.number() }), examples: [{ by: 2 }],
         create: async () => (input) => input,
       };`,
    );
    const text = `use: ./mine.mjs\n${good.replace('- slow: { ms: 1 }', '- brighter: { bye: 2 }').replace(/\n {4}queue.*/, '')}`;
    expect(await problems(text)).toEqual(['6:17 unknown option "bye"; did you mean "by"?']);
    expect(await problems(text.replace('bye', 'by'))).toEqual([]);
  });

  it('names a `use` module that failed, and the reason', async () => {
    await writeFile(join(directory, 'throws.mjs'), 'throw new Error("no licence");');
    await writeFile(join(directory, 'empty.mjs'), 'export const nothing = 1;');
    expect(await problems(`use: ./throws.mjs\n${good}`)).toEqual([
      '1:6 use: ./throws.mjs could not be loaded: no licence',
    ]);
    expect(await problems(`use: ./empty.mjs\n${good}`)).toEqual([
      '1:6 use: ./empty.mjs exports no component; define one with defineOperator, defineSource or defineSink',
    ]);
    expect(await problems(`use: [./absent.mjs]\n${good}`)).toEqual([
      expect.stringMatching(/^1:7 \.\/absent\.mjs could not be loaded: no such file: /),
    ]);
  });

  it.each([
    [
      'source',
      good.replace('source:', 'sorce:'),
      '2:1 unknown key "sorce"; did you mean "source"?',
    ],
    ['list', good.replace('sinks:', 'sink:'), '7:1 unknown key "sink"; did you mean "sinks"?'],
    [
      'option beside a component',
      good.replace('- collector: {}', '- nmae: a\n    collector: {}'),
      '8:5 unknown key "nmae" beside "collector"; did you mean "name"?',
    ],
    [
      'queue option',
      good.replace('limit: 2', 'limt: 2'),
      '6:14 unknown option "limt"; did you mean "limit"?',
    ],
    [
      'required option in a timing test',
      `${good}tests:\n  - { name: a, source: { fsp: 30 }, expect: { collector: { delivered: 1 } } }\n`,
      '11:26 unknown option "fsp"; did you mean "fps"?',
    ],
  ])('reports a misspelt %s once', async (_, text, message) => {
    expect(await problems(text)).toEqual([message]);
  });
});

const typed = defineOperator({
  name: 'typed',
  summary: 'Options of several types, for tests.',
  accepts: ['image'],
  emits: ['image'],
  options: z
    .strictObject({
      text: z.string().optional(),
      count: z.int().optional(),
      flag: z.boolean().optional(),
      either: z.union([z.int(), z.literal('auto')]).optional(),
      wait: duration().optional(),
      list: z.array(z.int()).optional(),
      low: z.number().default(0),
      high: z.number().default(1),
    })
    .refine(({ low, high }) => low < high, { error: 'low must be less than high' }),
  examples: [{}],
  create: async () => (input) => input,
});
const withTyped = new Registry([ticker, typed, collector(new VirtualClock())]);

describe('a value from the environment or --set', () => {
  const withOption = (name: string, value: string) =>
    good.replace(/ {2}- slow.*\n.*\n/, `  - typed: { ${name}: ${value} }\n`);
  const looks = [
    '2',
    '007',
    '1e3',
    '0x10',
    '-1.5',
    'true',
    'null',
    '~',
    '20260101',
    '.nan',
    '12:30',
    '-',
    '#1',
    'a b',
  ];

  it.each(looks)('stays a string where the option is one: %s', async (look) => {
    const fromEnv = await parsePipeline(withOption('text', '"${X}"'), 'p.yaml', {
      registry: withTyped,
      env: { X: look },
    });
    expect(fromEnv.problems).toEqual([]);
    expect(fromEnv.pipeline?.operators[0]?.component?.options).toMatchObject({ text: look });
    const fromSet = await parsePipeline(withOption('text', 'a'), 'p.yaml', {
      registry: withTyped,
      set: [`operators.typed.text=${look}`],
    });
    expect(fromSet.problems).toEqual([]);
    expect(fromSet.pipeline?.operators[0]?.component?.options).toMatchObject({ text: look });
  });

  it.each([
    ['count', '7', 7],
    ['count', '007', 7],
    ['flag', 'true', true],
    ['either', '3', 3],
    ['either', 'auto', 'auto'],
    ['wait', '2s', 2000],
  ])('is converted to the type of the option %s: %s', async (name, text, value) => {
    for (const extra of [{ env: { X: text } }, { set: [`operators.typed.${name}=${text}`] }]) {
      const file = withOption(name, extra.env ? '"${X}"' : '1');
      const loaded = await parsePipeline(file, 'p.yaml', { registry: withTyped, ...extra });
      expect(loaded.problems).toEqual([]);
      expect(loaded.pipeline?.operators[0]?.component?.options).toMatchObject({ [name]: value });
    }
  });

  it('is converted in lists, names, queues, descriptions and timing tests too', async () => {
    const text = `description: "\${N}"
source: { ticker: { frames: "\${N}" } }
operators:
  - slow: { ms: "\${N}" }
    queue: { limit: "\${N}" }
sinks:
  - collector: {}
    name: "\${N}"
tests:
  - { name: "\${N}", source: { fps: "\${N}" }, expect: { "7": { delivered: "\${N}" } } }
`;
    const { pipeline, tests, problems } = await parsePipeline(text, 'p.yaml', {
      registry,
      env: { N: '7' },
    });
    expect(problems).toEqual([]);
    expect(pipeline).toMatchObject({ description: '7', source: { options: { frames: 7 } } });
    expect(pipeline?.operators[0]).toMatchObject({ queue: { limit: 7 } });
    expect(pipeline?.branches[0]?.name).toBe('7');
    expect(tests).toMatchObject([{ name: '7', source: { fps: 7 } }]);
    const listed = withOption('list', '["${N}", "${N}"]');
    const loaded = await parsePipeline(listed, 'p.yaml', { registry: withTyped, env: { N: '7' } });
    expect(loaded.pipeline?.operators[0]?.component?.options).toMatchObject({ list: [7, 7] });
  });

  it('that does not fit is quoted in the message', async () => {
    const wrong = (set: string[], env = {}) =>
      problems(withOption('count', '"${X:-1}"'), { registry: withTyped, set, env });
    expect(await wrong([], { X: 'many' })).toEqual(['5:21 count: must be a number, not "many"']);
    expect(await wrong(['operators.typed.count=many'])).toEqual([
      '5:21 count: must be a number, not "many"',
    ]);
    expect(await wrong(['operators.typed.low=5', 'operators.typed.high=2'])).toEqual([
      '5:5 typed: low must be less than high',
    ]);
  });

  it('may be quoted, or a map, in --set', async () => {
    const set = ['operators.typed.text="2"', 'source={ ticker: { frames: 4 } }', 'sinks.1.name=b'];
    const loaded = await parsePipeline(withOption('text', 'a'), 'p.yaml', {
      registry: withTyped,
      set,
    });
    expect(loaded.problems).toEqual([]);
    expect(loaded.pipeline?.operators[0]?.component?.options).toMatchObject({ text: '2' });
    expect(loaded.pipeline?.source.options).toMatchObject({ frames: 4 });
    expect(loaded.pipeline?.branches[1]?.name).toBe('b');
  });

  it('is unlike a number in the file, which is refused for a string option, with advice', async () => {
    expect(await problems(withOption('text', '2'), { registry: withTyped })).toEqual([
      '5:20 text: must be a string, not 2; write it in quotes: "2"',
    ]);
  });
});

describe('in YAML', () => {
  it('merge keys and top-level `x-` keys share options', async () => {
    const text = `x-common: &common { ms: 3 }
x-unused: "\${NOT_SET}"
source:
  ticker: { frames: 3 }
operators:
  - slow: *common
  - slow:
      <<: *common
sinks:
  - collector
`;
    const { pipeline, problems } = await parsePipeline(text, 'p.yaml', { registry, env: {} });
    expect(problems).toEqual([]);
    const options = pipeline?.operators.map(({ component }) => component?.options);
    expect(options).toMatchObject([{ ms: 3 }, { ms: 3 }]);
  });

  it('a mistake in a shared map is reported once, at the anchor', async () => {
    const text = `x-common: &common { mss: 3 }
source: { ticker: { frames: 3 } }
operators:
  - slow: *common
  - slow: { <<: *common }
  - slow: { <<: [*common] }
sinks: [collector]
`;
    expect(await problems(text)).toEqual(['1:21 unknown option "mss"; did you mean "ms"?']);
  });

  it('a merge key without a map is refused', async () => {
    const message = '<< takes an alias of a map, or a list of them';
    expect(await problems(`<<: 1\n${good}`)).toEqual([`1:5 ${message}`]);
    expect(await problems(`x-a: &a 1\n<<: *a\n${good}`)).toEqual([`2:5 ${message}`]);
    expect(await problems(`x-a: &a {}\n<<: [*a, 2]\n${good}`)).toEqual([`2:5 ${message}`]);
  });

  it('every alias that stands for nothing, or for what it is part of, is refused', async () => {
    const text = `x-a: &a [*a]
source: &s { ticker: *s }
operators:
  - slow: *one
  - slow: &m { <<: *m }
  - slow: { <<: *two }
sinks: [collector]
`;
    expect(await problems(text)).toEqual([
      '1:10 the alias *a is part of what it stands for',
      '2:22 the alias *s is part of what it stands for',
      '4:11 there is no anchor &one before the alias *one',
      '5:20 the alias *m is part of what it stands for',
      '6:17 there is no anchor &two before the alias *two',
    ]);
  });

  it('what is nested too deeply is refused', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const found = (await problems(`x-a: ${deep}\n${good}`)).join('\n');
    expect(found).toMatch(/1:\d+ not valid YAML: it is nested too deeply/);
    expect(found).not.toMatch(/call stack/);
  });

  it('a key that is a list is refused, and the library prints nothing of its own', async () => {
    const printed = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    expect(await problems(`? [a, b]\n: 1\n${good}`)).toEqual([
      expect.stringMatching(/^1:1 unknown key "\[ a, b \]"/),
    ]);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  it('several documents are refused', async () => {
    for (const [text, position] of [
      [`${good}---\n${good}`, '10:1'],
      [`---\n${good}---\n`, '11:1'],
    ]) {
      expect(await problems(text as string)).toEqual([
        `${position} a second YAML document starts here; a file holds one pipeline, so move this one to its own file`,
      ]);
    }
    expect(await problems(`---\n${good}...\n`)).toEqual([]);
  });
});
