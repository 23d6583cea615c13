import { z } from 'zod';
import type { SourceDefinition } from './component.ts';

/** A source that another source reads, once its options are checked. */
export interface NestedSource {
  readonly definition: SourceDefinition;
  readonly options: unknown;
}

/**
 * The option of a source that names another one: `{ usb-camera: { device: /dev/video0 } }` in a pipeline
 * file, `usbCamera({ device: '/dev/video0' })` in code. The definition lists it in `nested`; its value is
 * a NestedSource when `create` gets it.
 */
export function nestedSource() {
  return z.custom<NestedSource>(
    (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
    { error: 'must name a source' },
  );
}

class WrongSource {}

/** Stands for a source that has been reported as wrong, so that the options beside it are checked, too. */
export const wrongSource = new WrongSource();

/** True for a source with its options; false for what only names one. */
export function isNested(value: unknown): value is NestedSource {
  return typeof value === 'object' && value !== null && 'definition' in value;
}
