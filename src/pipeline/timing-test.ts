import { z } from 'zod';
import { hint } from '../core/did-you-mean.ts';
import { valueProblems } from '../core/option-problems.ts';
import { duration, parseDuration } from '../core/units.ts';
import { type AnyPipeline, hasCameras } from './cameras.ts';
import type { Pipeline, Problem } from './pipeline.ts';

const comparisons = {
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '=': (a: number, b: number) => a === b,
};

/** The bound of a figure: `<= 40ms`. */
export interface Comparison {
  readonly text: string;
  holds(value: number): boolean;
}

const pattern = '^(<|<=|>|>=|=)? *[0-9]+(\\.[0-9]+)?';

const amountProblem = 'must be a number, or a comparison such as ">= 25"';

/** A count or rate, `3` or `">= 25"`. */
const amount = () =>
  z
    .union(
      [z.number().min(0), z.string().regex(new RegExp(`${pattern}$`), { error: amountProblem })],
      {
        error: amountProblem,
      },
    )
    .transform((value) => comparison(String(value), Number));

/** A time, `40ms` or `"<= 40ms"`. */
const time = () =>
  z
    .string()
    .regex(new RegExp(`${pattern}(ms|s|min|h)$`), {
      error: 'must be a duration with its unit, or a comparison such as "<= 40ms"',
    })
    .transform((value) => comparison(value, (text) => parseDuration(text) ?? Number.NaN));

function comparison(text: string, read: (text: string) => number): Comparison {
  const [, sign = '', rest = ''] = /^([<>=]*) *(.*)$/.exec(text) ?? [];
  const compare = comparisons[(sign || '=') as keyof typeof comparisons];
  const bound = read(rest);
  return { text, holds: (value) => compare(value, bound) };
}

const expectation = z.strictObject({
  captured: amount().optional().describe('frames that the source captured or lost'),
  delivered: amount().optional().describe('frames that reached the sink'),
  dropped: amount().optional().describe('frames dropped between the source and the sink'),
  fps: amount().optional().describe('frames delivered per second'),
  'age-p50': time().optional().describe('median time from capture to delivery'),
  'age-p95': time().optional().describe('95th percentile of it'),
  'age-p99': time().optional().describe('99th percentile of it'),
});

/** One item of `tests:` in a pipeline file. */
export const timingTestSchema = z.strictObject({
  name: z.string().min(1).describe('what the test verifies'),
  source: z.strictObject({
    fps: z.number().gt(0).max(10_000).describe('frames per second of the source'),
    frames: z.int().min(1).max(100_000).default(300).describe('number of frames of the source'),
  }),
  takes: z
    .record(z.string(), duration())
    .default({})
    .describe(
      'time per frame of operators, sinks, and operators of a branch ("sink operator"); default: 0',
    ),
  expect: z.record(z.string(), expectation).describe('expected figures at the end, by sink'),
});

export type TimingTest = z.output<typeof timingTestSchema>;
export type Figure = keyof z.output<typeof expectation>;

/** The names that `takes` and `expect` may use. */
export function timedStages({ operators, branches }: Pipeline): {
  takes: string[];
  sinks: string[];
} {
  const sinks = branches.map(({ name }) => name);
  const inBranches = branches.flatMap(({ name, operators }) =>
    operators.map((operator) => `${name} ${operator.name}`),
  );
  return { takes: [...operators.map(({ name }) => name), ...sinks, ...inBranches], sinks };
}

/** Reads the `tests` of a pipeline file; their problems are added to `problems`. */
export function checkTimingTests(
  value: unknown,
  pipeline: AnyPipeline,
  problems: Problem[],
): TimingTest[] {
  if (!Array.isArray(value)) {
    problems.push({ path: ['tests'], message: 'must be a list of tests' });
    return [];
  }
  if (hasCameras(pipeline)) {
    const message =
      'needs a pipeline with one "source"; timing tests of several cameras are not supported';
    problems.push({ path: ['tests'], key: true, message });
    return [];
  }
  const stages = timedStages(pipeline);
  return value.flatMap((item: unknown, index) => {
    const path = ['tests', index];
    const result = timingTestSchema.safeParse(item);
    if (!result.success) {
      for (const problem of valueProblems(timingTestSchema, item)) {
        problems.push({ ...problem, path: [...path, ...problem.path] });
      }
      return [];
    }
    for (const [key, known] of [
      ['takes', stages.takes],
      ['expect', stages.sinks],
    ] as const) {
      for (const name of Object.keys(result.data[key])) {
        if (known.includes(name)) continue;
        const message = `unknown stage "${name}"${hint(name, known)}`;
        problems.push({ path: [...path, key, name], key: true, message });
      }
    }
    for (const [name, expected] of Object.entries(result.data.expect)) {
      if (Object.keys(expected).length > 0) continue;
      problems.push({
        path: [...path, 'expect', name],
        message: 'must hold at least one expectation, such as delivered: 300',
      });
    }
    return [result.data];
  });
}
