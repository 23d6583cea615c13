import { z } from 'zod';

/** A shape as a ratio in a pipeline file (`"4:3"`, `"16:9"`); width / height in code. */
export function aspect() {
  return z
    .string({ error: 'must be a ratio in quotes, such as "4:3" or "16:9"' })
    .refine((text) => parseAspect(text) !== undefined, {
      error: 'must be a ratio in quotes, such as "4:3" or "16:9"',
    })
    .meta({ pattern: '^[0-9]+(\\.[0-9]+)?:[0-9]+(\\.[0-9]+)?$' })
    .transform((text) => parseAspect(text) as number);
}

function parseAspect(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(text);
  if (!match) return undefined;
  const ratio = Number(match[1]) / Number(match[2]);
  return ratio > 0 && Number.isFinite(ratio) ? ratio : undefined;
}
