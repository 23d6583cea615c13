import { z } from 'zod';

const error = 'must be a ratio such as "4:3" or "16:9", or a number such as 1.333';
const pattern = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/;

/** An aspect ratio: `"4:3"` or a number in a pipeline file, width / height in code. */
export function aspect() {
  const text = z
    .string()
    .regex(pattern, { error })
    .refine((value) => isShape(ratio(value)), { error })
    .transform(ratio);
  return z.union([text, z.number().min(0.01, { error }).max(100, { error })], { error });
}

function ratio(text: string): number {
  const [, width, height] = pattern.exec(text) ?? [];
  return Number(width) / Number(height);
}

function isShape(value: number): boolean {
  return value >= 0.01 && value <= 100;
}
