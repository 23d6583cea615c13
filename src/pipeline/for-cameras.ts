import { cameraPlaceholder } from '../core/camera-placeholder.ts';
import { hint } from '../core/did-you-mean.ts';
import { isNested } from '../core/nested-source.ts';
import type { ValueProblem } from '../core/option-problems.ts';

/** `value` with the camera's name wherever a text in it says `{camera}`. */
export function withCamera(value: unknown, camera: string | undefined): unknown {
  if (camera === undefined) return value;
  if (typeof value === 'string') return value.replaceAll(cameraPlaceholder, camera);
  if (Array.isArray(value)) return value.map((item) => withCamera(item, camera));
  // Only what a file can say: an instance of a class is the program's own.
  if (value === null || typeof value !== 'object' || !isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withCamera(item, camera)]),
  );
}

/** Options, by their path, whose text says `{camera}`. */
export function optionsWithCamera(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === 'string') return value.includes(cameraPlaceholder) ? [path.join('.')] : [];
  if (value === null || typeof value !== 'object') return [];
  if (isNested(value)) return optionsWithCamera(value.options, [...path, value.definition.name]);
  if (!Array.isArray(value) && !isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => optionsWithCamera(item, [...path, key]));
}

/** The cameras that an operator or a sink is for; undefined if it says nothing of them. */
export function camerasOf(input: unknown): readonly string[] | undefined {
  return (input as { readonly cameras?: readonly string[] } | undefined)?.cameras;
}

/** What may say which cameras it is for. */
interface Inputs {
  readonly operators?: readonly unknown[];
  readonly sinks: readonly unknown[];
}

/**
 * Reports operators and sinks that are for cameras which are not there.
 *
 * @param names of the cameras; undefined if the pipeline has one source, without a name
 */
export function forCameras(
  { operators = [], sinks }: Inputs,
  problems: ValueProblem[],
  names?: readonly string[],
): void {
  const check = (inputs: readonly unknown[], path: readonly (string | number)[]) => {
    for (const [index, input] of inputs.entries()) {
      const at = [...path, index];
      for (const message of messages(camerasOf(input) ?? [], names))
        problems.push({ path: [...at, 'cameras'], message });
      const own = (input as { readonly operators?: readonly unknown[] } | undefined)?.operators;
      if (own) check(own, [...at, 'operators']);
    }
  };
  check(operators, ['operators']);
  check(sinks, ['sinks']);
}

function messages(asked: readonly string[], names: readonly string[] | undefined): string[] {
  if (asked.length === 0) return [];
  if (!names)
    return ['the pipeline has one source; name its cameras under "cameras" instead of "source"'];
  return asked
    .filter((name) => !names.includes(name))
    .map((name) => `there is no camera "${name}"${hint(name, names)}`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
