import { describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { fc } from '../support/property.ts';

/** More in the long form: FUZZ_RUNS=100000 npx vitest run test/faults */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1000);

const file = (topic: string) => `source: test-pattern
sinks:
  - zeromq: { bind: "tcp://127.0.0.1:5556", topic: "${topic}" }
`;

/** Texts that YAML reads as something else than a string, and any others. */
const texts = fc.oneof(
  fc.constantFrom('2', '007', '-0', '1e3', '0x1F', '0o17', '.5', '.inf', '.nan', 'true', 'no'),
  fc.constantFrom('null', '~', '2026-01-01', '12:30:45', '1_000', '[1, 2]', '{ a: 1 }', 'a: b'),
  fc.constantFrom('# not a comment', 'a #b', '- item', '*alias', '&anchor', '!!int 3', '${HOME}'),
  fc.constantFrom('<<', '---', '...', '%YAML', '|', '>', '?', '@', '`', ' lead', 'trail ', '\t'),
  fc.double().map(String),
  fc.string({ minLength: 1, unit: 'grapheme' }),
);

async function topicOf(text: string, options: { env?: Record<string, string>; set?: string[] }) {
  const { pipeline, problems } = await parsePipeline(text, 'p.yaml', {
    registry: builtins,
    env: {},
    ...options,
  });
  expect(problems).toEqual([]);
  const [branch] = pipeline?.branches ?? [];
  return (branch?.sink.options as { topic: string } | undefined)?.topic;
}

describe('a string option takes any text', () => {
  it('of the environment as it is', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await topicOf(file('${X}'), { env: { X: text } })).toBe(text);
        expect(await topicOf(file('cam-${X}'), { env: { X: text } })).toBe(`cam-${text}`);
      }),
      { numRuns, seed: 20_26 },
    );
  });

  it('of --set as it is, unless it is quoted', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts.filter((text) => !/^\s*["']/.test(text)),
        async (text) => {
          expect(await topicOf(file('a'), { set: [`sinks.zeromq.topic=${text}`] })).toBe(text);
          const quoted = `sinks.zeromq.topic=${JSON.stringify(text)}`;
          expect(await topicOf(file('a'), { set: [quoted] })).toBe(text);
        },
      ),
      { numRuns, seed: 20_26 },
    );
  });
});

describe('a number option takes any number', () => {
  it('of the environment and of --set', async () => {
    const text = 'source: { test-pattern: { frames: "${X:-1}" } }\nsinks: [discard]\n';
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), fc.nat(3), async (n, zeros) => {
        const written = '0'.repeat(zeros) + n;
        for (const options of [
          { env: { X: written } },
          { set: [`source.test-pattern.frames=${written}`] },
        ]) {
          const loaded = await parsePipeline(text, 'p.yaml', {
            registry: builtins,
            env: {},
            ...options,
          });
          expect(loaded.problems).toEqual([]);
          expect(loaded.pipeline?.source.options).toMatchObject({ frames: n });
        }
      }),
      { numRuns: numRuns / 10, seed: 20_26 },
    );
  });
});

describe('a number option says what is wrong with a number', () => {
  it.each([
    ['-1', 'frames: must be at least 1'],
    ['0.5', 'frames: must be a whole number, not 0.5'],
    ['.nan', 'frames: must be a number, not NaN'],
    ['many', 'frames: must be a number, not "many"'],
  ])('%s', async (text, message) => {
    const of = async (
      frames: string,
      options: { env?: Record<string, string>; set?: string[] },
    ) => {
      const source = `source: { test-pattern: { frames: ${frames} } }\nsinks: [discard]\n`;
      const { problems } = await parsePipeline(source, 'p.yaml', {
        registry: builtins,
        env: {},
        ...options,
      });
      return problems.map((problem) => problem.message);
    };
    expect(await of('"${X}"', { env: { X: text } })).toEqual([message]);
    expect(await of('1', { set: [`source.test-pattern.frames=${text}`] })).toEqual([message]);
  });
});
