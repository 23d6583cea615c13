import { z } from 'zod';

/** Refuses options whose `min` is not less than their `max`, where both are given. */
export function minBelowMax<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.refine((value) => intervalProblem(ends(value)) === undefined, {
    error: ({ input }) => intervalProblem(ends(input)),
  });
}

/** `[min, max]` of which the first is less than the second. */
export function interval<Schema extends z.ZodType<number>>(end: Schema) {
  return minBelowMax(z.tuple([end, end]));
}

/** What is wrong with two ends, or nothing: the one wording for it. */
export function intervalProblem(
  { min, max }: { readonly min?: number | undefined; readonly max?: number | undefined },
  names: { readonly min: string; readonly max: string } = { min: 'min', max: 'max' },
): string | undefined {
  if (min === undefined || max === undefined || min < max) return undefined;
  return `${names.min} (${min}) must be less than ${names.max} (${max})`;
}

function ends(value: unknown): { min?: number; max?: number } {
  return Array.isArray(value) ? { min: value[0], max: value[1] } : (value as object);
}
