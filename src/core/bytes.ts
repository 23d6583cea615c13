import { z } from 'zod';

const unitBytes: Readonly<Record<string, number>> = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** An amount of data with its unit in a pipeline file (`500MB`, `2GB`); bytes in code. */
export function byteSize() {
  return z
    .string({ error: 'is not a size: write a number and a unit, such as 500MB or 2GB' })
    .refine((text) => parseBytes(text) !== undefined, {
      error: 'is not a size: write a number and a unit, such as 500MB or 2GB',
    })
    .meta({ pattern: '^[0-9]+(\\.[0-9]+)?(kB|MB|GB|TB)$' })
    .transform((text) => parseBytes(text) as number)
    .refine((bytes) => bytes > 0, { error: 'must be more than 0' });
}

function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(kB|MB|GB|TB)$/.exec(text);
  return match ? Number(match[1]) * (unitBytes[match[2] as string] as number) : undefined;
}
