import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatProblem, valueProblems } from '../../src/core/option-problems.ts';
import { manifestSchema } from '../../src/inference/manifest.ts';

const whole = `
name: fastdepth
file: fastdepth.onnx
sha256: ${'0a'.repeat(32)}
licence: MIT
input: { name: rgb, layout: NHWC, dtype: uint8, width: 224, height: 224, channels: RGB, view: "4:3" }
output: { name: depth, meaning: metres, range: [0.1, 10] }
parameters: 1340000
macs: 370000000
training: { data: [rooms, photos], hours: 4.5 }
metrics: { kitchen: { delta1: 0.8 } }
card: Indoor scenes.
`;

function problems(text: string): string[] {
  return valueProblems(manifestSchema, parse(text)).map(formatProblem);
}

describe('manifest', () => {
  it('takes everything that it may say', () => {
    expect(manifestSchema.parse(parse(whole))).toMatchObject({
      input: { view: '4:3' },
      metrics: { kitchen: { delta1: 0.8 } },
    });
  });

  it('fills in RGB and any view', () => {
    const { input } = manifestSchema.parse(
      parse(
        `{ name: a, file: a.onnx, input: { name: x, layout: NCHW, dtype: float32, width: 8, height: 6 }, output: { name: y, meaning: log } }`,
      ),
    );
    expect(input).toMatchObject({ channels: 'RGB', view: 'any' });
  });

  it.each([
    ['a typo', 'meaning: metres', 'meening: metres', /unknown option "meening".*"meaning"/],
    ['a wrong meaning', 'meaning: metres', 'meaning: metre', /"metre" is not valid.*"metres"/],
    ['a bad view', '"4:3"', '"wide"', /input.view: must be "any" or a ratio/],
    ['a view without width', '"4:3"', '"0:3"', /input.view: must be "any" or a ratio/],
    ['a short hash', `sha256: ${'0a'.repeat(32)}`, 'sha256: 0a', /must be 64 hexadecimal digits/],
    [
      'a range upside down',
      '[0.1, 10]',
      '[10, 0.1]',
      /output.range: min \(10\) must be less than max \(0.1\)/,
    ],
    [
      'metres for a network that gives none',
      'meaning: metres',
      'meaning: disparity',
      /output.range: is in metres, and disparity without scale is not/,
    ],
    [
      'a shift alone',
      'meaning: metres, range: [0.1, 10]',
      'meaning: inverse-relative, shift: 1',
      /output.scale: is missing: calibration needs scale and shift/,
    ],
    [
      'a mean of bytes',
      'view: "4:3"',
      'mean: [0, 0, 0]',
      /input.mean: is for float32 and float16; a uint8/,
    ],
    ['a std of 0', 'dtype: uint8', 'dtype: float32, std: [0, 1, 1]', /input.std: must not be 0/],
    ['no size', 'width: 224, ', '', /input: missing option "width": pixels/],
  ])('refuses %s', (_, from, to, message) => {
    const found = problems(whole.replace(from, to));
    expect(found.join('\n')).toMatch(message);
  });
});
