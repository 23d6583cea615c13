import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** A duration with its unit in a pipeline file (`100ms`, `2s`, `1.5min`, `1h`); milliseconds in code. */
export function duration() {
  return z
    .string({ error: (issue) => durationProblem(issue.input) })
    .refine((text) => parseDuration(text) !== undefined, {
      error: (issue) => durationProblem(issue.input),
    })
    .meta({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|min|h)$' })
    .transform((text) => parseDuration(text) as number);
}

/** Milliseconds, or nothing if the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|h)$/.exec(text);
  return match ? Number(match[1]) * (unitMs[match[2] as string] as number) : undefined;
}

function durationProblem(value: unknown): string {
  if (typeof value === 'number')
    return `needs a unit: ${value}ms, ${value}s, ${value}min or ${value}h`;
  return `is not a duration: write a number and a unit, such as 100ms, 2s, 1.5min or 1h`;
}
