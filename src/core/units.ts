import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };

/** A duration with its unit in a pipeline file (`100ms`, `2s`, `1.5min`, `1h`); milliseconds in code. */
export function duration() {
  return z
    .string({ error: (issue) => durationProblem(issue.input) })
    .refine((text) => parseDuration(text) !== undefined)
    .meta({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|min|h)$' })
    .transform((text) => parseDuration(text) as number);
}

/** A duration above 0, such as a timeout. */
export function positiveDuration() {
  return duration().refine((ms) => ms > 0, { error: 'must be longer than 0' });
}

/** Milliseconds, or nothing if the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|h)$/.exec(text);
  return match ? Number(match[1]) * (unitMs[match[2] as string] as number) : undefined;
}

/** A duration for people, in the unit that suits it: `1.5 s`, `40 min`, `3122 days`. */
export function durationText(ms: number): string {
  for (const [name, unit] of [
    ['days', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= 2 * unit) return `${Math.round(ms / unit)} ${name}`;
  }
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

function durationProblem(value: unknown): string {
  if (typeof value === 'number')
    return `needs a unit: ${value}ms, ${value}s, ${value}min or ${value}h`;
  return `is not a duration: write a number and a unit, such as 100ms, 2s, 1.5min or 1h`;
}
