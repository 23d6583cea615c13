import { closest, distance } from 'fastest-levenshtein';

/** The valid name that a typo most likely meant, or nothing when none is near. */
export function nearest(typed: string, valid: readonly string[]): string | undefined {
  if (valid.length === 0) return undefined;
  const best = closest(typed, valid as string[]);
  return distance(typed, best) <= Math.max(2, Math.floor(typed.length / 3)) ? best : undefined;
}

/** ` (did you mean "smooth"?)`, or the valid names when none is near. */
export function hint(typed: string, valid: readonly string[]): string {
  const best = nearest(typed, valid);
  if (best !== undefined) return `; did you mean "${best}"?`;
  return valid.length > 0 ? `; valid: ${valid.join(', ')}` : '';
}
