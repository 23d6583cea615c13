import { closest, distance } from 'fastest-levenshtein';

/** The valid name closest to a typo, if one is close. */
export function nearest(typed: string, valid: readonly string[]): string | undefined {
  if (valid.length === 0) return undefined;
  const best = closest(typed, valid as string[]);
  return distance(typed, best) <= Math.max(2, Math.floor(typed.length / 3)) ? best : undefined;
}

/** `; did you mean "smooth"?`, or the valid names if none is close. */
export function hint(typed: string, valid: readonly string[]): string {
  const best = nearest(typed, valid);
  if (best !== undefined) return `; did you mean "${best}"?`;
  // A source and a sink may have the same name.
  const names = [...new Set(valid)];
  return names.length > 0 ? `; valid: ${names.join(', ')}` : '';
}
