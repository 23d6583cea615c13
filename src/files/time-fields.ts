import { dirname } from 'node:path';
import strftime from 'strftime';

/** Whether a path holds strftime fields. */
export function hasTime(template: string): boolean {
  return template.includes('%');
}

/**
 * A path with its strftime fields filled in, in local time.
 *
 * @param at ns since the epoch
 */
export function expandTime(template: string, at: bigint): string {
  return hasTime(template) ? strftime(template, new Date(Number(at / 1_000_000n))) : template;
}

/** The folders of a path before its first strftime field; all of it if there is none. */
export function staticPart(template: string): string {
  const field = template.indexOf('%');
  return field < 0 ? template : dirname(`${template.slice(0, field)}x`);
}

/** For `refine`: a field must not lead out of the folders before it. */
export function staysInside(template: string): boolean {
  return !/%.*(^|[\\/])\.\.([\\/]|$)/.test(template);
}

/** For `refine`: every % begins a field that strftime knows, or is one of a pair. */
export function fieldsAreKnown(template: string): boolean {
  const rest = template.replace(/%(?:[-_0^]?[aAbBCdeFHhIjkLlMmopPrRSsTUuvWwXYyZ]|:?z|%)/g, '');
  return !rest.includes('%');
}
