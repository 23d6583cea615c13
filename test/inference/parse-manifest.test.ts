import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseManifest } from '../../src/inference/parse-manifest.ts';

const head = 'name: a\nfile: a.onnx\n';
const tail = 'card: >\n  Some\n  text.\n';
const input = 'input:\n  name: x\n';

/** By what is said of them; each is to be read as YAML reads it, but for what only informs. */
const texts: Record<string, string> = {
  'in the middle': `${head}training:\n  data: x\nmetrics:\n  a: [1]\n${tail}`,
  'as the first key': `training:\n  data: x\n${head}`,
  'on one line': `${head}metrics: {}\n${tail}`,
  'as the last key': `${head}training: |\n  lines\n\n  of text\n`,
  'without a newline at the end': `${head}training: |\n  lines of text`,
  'without a newline behind a mapping': `${head}${input}training:\n  data: x`,
  'as items that are not indented': `${head}training:\n- a\n- b\n${tail}`,
  'with a comment behind a mapping': `${head}${input}training:\n  a: 1\n# why\n  dtype: uint8\n${tail}`,
  'with a comment in a list': `${head}input:\n- 1\ntraining:\n- 2\n# why\n- 3\n${tail}`,
  'with CRLF': `${head}${input}training:\n  a: 1\n  b: 2\n${tail}`.replaceAll('\n', '\r\n'),
  'with some CRLF': `${head}${input}training:\n  a: 1\r\n  b: 2\r\n\r\n${tail}`,
  'with line separators': `${head}${input}training:\n  a: b\u2028c\n  b: 2\n${tail}`,
  'with block scalars that look like keys': `${head}card: |\n  training:\n  x\ntraining: |2\n   metrics: 1\n\nlicence: MIT\n`,
  'in braces over lines': `{\nname: a,\ntraining: { a: 1 }, file: a.onnx\n}\n`,
  'in braces that end in the first column': `${head}training: {\n  a: 1\n}\n${tail}`,
  'with a quoted key': `${head}"training":\n  a: 1\n${tail}`,
  'in a document with marks': `%YAML 1.2\n---\n${head}training: 1\n...\n`,
  'as a part that is used elsewhere': `${head}training: &t { a: 1 }\nlicence: *t\n`,
  'as keys that begin so': `${head}trainings: 1\nmetrics:of: 2\n`,
};

const withoutInforming = (value: object) =>
  Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== 'training' && key !== 'metrics'),
  );

describe('a manifest with training or metrics', () => {
  it.each(Object.entries(texts))('%s', (_, text) => {
    expect(withoutInforming(parseManifest(text) as object)).toEqual(withoutInforming(parse(text)));
  });

  it.each([
    ['two documents', `${head}training: 1\n---\n${tail}`],
    ['a tab in what is needed', `${head}input:\n\tname: x\n`],
    ['a brace that does not end', `${head}input: {\ntraining: 1\n`],
  ])('is refused with %s, as YAML refuses it', (_, text) => {
    expect(() => parse(text)).toThrow();
    expect(() => parseManifest(text)).toThrow();
  });

  it('is read whatever mistake is in them', () => {
    for (const wrong of ['  a: [\n', '\ta: 1\n', '  a: 1\n b: 2\n  - c\n'])
      expect(parseManifest(`${head}training:\n${wrong}${tail}`)).toEqual(parse(`${head}${tail}`));
  });
});
