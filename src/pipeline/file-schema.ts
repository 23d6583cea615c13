import { z } from 'zod';
import type { Role } from '../core/component.ts';
import { queueSchema } from '../core/queue-options.ts';

/** The top-level keys of a pipeline file, in their usual order. */
export const fileKeys = [
  'description',
  'use',
  'serve',
  'source',
  'cameras',
  'operators',
  'sinks',
  'tests',
] as const;

/** Top-level keys with this prefix are ignored; they hold shared anchors. */
export const extensionPrefix = 'x-';

/** The keys allowed beside a component's name. */
export const sideKeys: Readonly<Record<Role, readonly string[]>> = {
  source: [],
  operator: ['queue', 'cameras'],
  sink: ['name', 'queue', 'operators', 'on-error', 'cameras'],
};

export const sideSchemas = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/i, { error: 'must be letters, digits and "-"' })
    .describe('name of the branch in the ledger; default: the name of the sink'),
  'on-error': z
    .enum(['fail', 'skip', 'retry'])
    .describe('when a write fails: end the run, count the frame as failed, or try again'),
  queue: queueSchema,
  cameras: z
    .array(z.string())
    .min(1)
    .describe('names of the cameras whose frames it takes; default: those of all cameras'),
};

export type Path = readonly (string | number)[];
export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
