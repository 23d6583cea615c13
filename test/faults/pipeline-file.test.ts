import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Pair, parseDocument, visit } from 'yaml';
import { builtins } from '../../src/builtins.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { fc } from '../support/property.ts';

const folder = fileURLToPath(new URL('../../pipelines/', import.meta.url));
const files = readdirSync(folder).map((name) => readFileSync(`${folder}${name}`, 'utf8'));
/** More in the long form: FUZZ_RUNS=100000 npx vitest run test/faults */
const numRuns = Number(process.env.FUZZ_RUNS ?? 2000);

const awkward = fc.constantFrom<unknown>(
  ...[
    '',
    ' ',
    '~',
    '-1',
    '1e999',
    '0x10',
    '.nan',
    '${',
    '${HOME',
    '${NOPE}',
    '&a *a',
    '*a',
    '<<: 1',
  ],
  ...[
    '__proto__',
    'constructor',
    '!!js/function',
    '| cat',
    '$(id)',
    '; rm',
    '! fakesink',
    '\0',
    '\u202e',
  ],
  ...[null, true, [], {}, [[]], 0, -1, 1e308, 0.5, 2 ** 53, '9'.repeat(400), 'x'.repeat(100_000)],
);
const value = fc.oneof(awkward, fc.anything({ maxDepth: 2 }).filter(isData));

/** What is wrong with a file as text: what editors, merges and bad disks do to it. */
const textual = fc
  .record({
    file: fc.constantFrom(...files),
    edits: fc.array(
      fc.record({
        how: fc.constantFrom('cut', 'repeat', 'insert', 'indent', 'drop line', 'swap lines'),
        at: fc.nat(),
        length: fc.integer({ min: 1, max: 30 }),
        text: fc.oneof(
          fc.string({ unit: 'binary' }),
          awkward.map((one) => JSON.stringify(one)),
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ file, edits }) =>
    edits.reduce((text, { how, at, length, text: inserted }) => {
      const lines = text.split('\n');
      const line = at % lines.length;
      const i = at % (text.length + 1);
      if (how === 'cut') return text.slice(0, i) + text.slice(i + length);
      if (how === 'repeat') return text.slice(0, i + length) + text.slice(i);
      if (how === 'insert') return text.slice(0, i) + inserted + text.slice(i);
      if (how === 'indent') lines[line] = ' '.repeat(length % 5) + lines[line];
      else if (how === 'drop line') lines.splice(line, 1);
      else lines.push(...lines.splice(line, 1));
      return lines.join('\n');
    }, file),
  );

/** A well-formed file with a wrong value, key or item somewhere. */
const structural = fc
  .record({
    file: fc.constantFrom(...files),
    changes: fc.array(fc.record({ at: fc.nat(), value, key: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
  })
  .map(({ file, changes }) => {
    const document = parseDocument(file);
    for (const { at, value, key } of changes) {
      const pairs: Pair[] = [];
      visit(document, { Pair: (_, pair) => void pairs.push(pair) });
      const pair = pairs[at % pairs.length];
      if (!pair) continue;
      if (key) pair.key = document.createNode(JSON.stringify(value));
      else pair.value = document.createNode(value);
    }
    try {
      return document.toString();
    } catch {
      // An alias has lost its anchor: nothing that can be written.
      return file;
    }
  });

function isData(candidate: unknown): boolean {
  try {
    return JSON.stringify(candidate) !== undefined;
  } catch {
    return false;
  }
}

describe.each([
  ['whose text was damaged', textual],
  ['with wrong values', structural],
])('a pipeline file %s', (_, texts) => {
  it(
    'gives a pipeline, or problems that people can read',
    async () => {
      let wrong = 0;
      await fc.assert(
        fc.asyncProperty(texts, async (text) => {
          const { pipeline, cameras, problems } = await parsePipeline(
            text,
            `${folder}fuzzed.yaml`,
            {
              registry: builtins,
              env: { HOME: '/home/someone' },
            },
          );
          expect(pipeline === undefined && cameras === undefined).toBe(problems.length > 0);
          if (problems.length > 0) wrong++;
          for (const { line, column, message } of problems) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
            expect(message.trim()).not.toBe('');
            expect(message).not.toMatch(/^\s+at |TypeError|ReferenceError|\[object Object\]/m);
            expect(message).not.toMatch(/[^\n\P{C}]/u);
            expect(message.length).toBeLessThan(2000);
          }
        }),
        { numRuns, seed: 20_19 },
      );
      expect(wrong).toBeGreaterThan(numRuns / 4);
    },
    120_000 + 20 * numRuns,
  );
});
