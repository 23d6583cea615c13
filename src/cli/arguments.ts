import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/units.ts';

/** Parses an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

export function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number greater than 0.');
}

/** Seconds, or a duration as in a pipeline file. */
export function seconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) return positive(text);
  return positive(String(ms / 1000));
}

export function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number, at least 0.');
}

export function positiveWhole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number, at least 1.');
}

/** `--set PATH=VALUE`, which may be repeated. */
export function setOption(): Option {
  return new Option(
    '--set <path=value>',
    'set an option of the pipeline, such as source.video-file.path=a.mp4; repeat for more',
  ).argParser(collect);
}

export const pipelineArgument = [
  '<name-or-file>',
  'name of a pipeline (see "depthline list"), or path of a .yaml file',
] as const;
