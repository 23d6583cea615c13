import { z } from 'zod';
import type { OperatorDefinition, Use } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { formatProblem } from '../core/option-problems.ts';
import { claimConflicts } from './claim-conflicts.ts';
import { forCameras } from './for-cameras.ts';
import { pathConflicts } from './path-conflicts.ts';
import {
  inspectPipeline,
  type PartialInput,
  type Pipeline,
  type PipelineInput,
  type PipelineParts,
  type Problem,
} from './pipeline.ts';

/** The pipeline of one camera among several. */
export type CameraPipeline = Pipeline & { readonly camera: string };

/** A checked pipeline of several cameras: one for each, in the order of the file. */
export interface CameraPipelines {
  readonly name: string;
  readonly description: string;
  readonly baseDirectory: string;
  readonly cameras: readonly CameraPipeline[];
}

/** What can run: a pipeline of one source, or of several cameras. */
export type AnyPipeline = Pipeline | CameraPipelines;

/** A pipeline of several cameras composed in code. */
export interface CamerasInput extends Omit<PipelineInput, 'source'> {
  /** The source of each camera, by its name: letters, digits and "-". */
  readonly cameras: Readonly<Record<string, Use<'source'>>>;
}

/** The same with its invalid parts missing. */
export interface PartialCameras extends Omit<PartialInput, 'source' | 'camera'> {
  readonly cameras: Readonly<Record<string, Use<'source'> | undefined>>;
  /** Names of further cameras, which do not run. */
  readonly absent?: readonly string[] | undefined;
}

/** Of one run. */
export const mostCameras = 64;
/** Of a camera. */
export const cameraName = z
  .string()
  .max(64, { error: 'is too long: at most 64 characters' })
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9-]*$/, { error: 'must be letters, digits and "-"' });

/** True for a pipeline of several cameras. */
export function hasCameras(pipeline: AnyPipeline): pipeline is CameraPipelines {
  return 'cameras' in pipeline;
}

/** The pipelines that run beside each other: that of the source, or one for each camera. */
export function pipelinesOf(pipeline: AnyPipeline): readonly Pipeline[] {
  return hasCameras(pipeline) ? pipeline.cameras : [pipeline];
}

/**
 * Checks a pipeline of several cameras composed in code. Each camera has its own operators and queues;
 * in their options, `{camera}` is the camera's name. Models and `shared` sinks are there once.
 *
 * @throws DepthlineError `CONFIG` with every problem at once.
 */
export function defineCameras(input: CamerasInput): CameraPipelines {
  const problems: Problem[] = [];
  const { pipeline } = inspectCameras(input, problems);
  if (problems.length > 0 || !pipeline) {
    throw new DepthlineError('CONFIG', [...new Set(problems.map(formatProblem))].join('\n'));
  }
  return pipeline;
}

/** Like `defineCameras`, but collects problems; also returns the valid parts, for further checks. */
export function inspectCameras(
  { cameras, absent = [], ...input }: PartialCameras,
  problems: Problem[],
  known: readonly OperatorDefinition[] = [],
): { readonly pipeline: CameraPipelines | undefined; readonly parts: readonly PipelineParts[] } {
  const before = problems.length;
  const names = Object.keys(cameras);
  problems.push(...nameProblems(names));
  forCameras(input, problems, [...new Set([...names, ...absent])]);
  const inspected = names.map((camera) =>
    inspectPipeline({ ...input, source: cameras[camera], camera }, problems, known),
  );
  const users = inspected.map(({ parts }, index) => ({ ...parts, camera: names[index] }));
  problems.push(
    ...pathConflicts(users, input.files),
    ...claimConflicts(users),
    ...idle(inspected, names),
  );
  const parts = inspected.map((one) => one.parts);
  if (problems.length > before) return { pipeline: undefined, parts };
  const { name = 'pipeline', description = '', baseDirectory = process.cwd() } = input;
  const whole = inspected.flatMap(({ pipeline }) => (pipeline ? [pipeline as CameraPipeline] : []));
  return { pipeline: { name, description, baseDirectory, cameras: whole }, parts };
}

function nameProblems(names: readonly string[]): Problem[] {
  if (names.length === 0)
    return [{ path: ['cameras'], message: 'needs at least one camera: a name, and its source' }];
  if (names.length > mostCameras)
    return [
      { path: ['cameras'], message: `at most ${mostCameras} cameras; run several processes` },
    ];
  return names.flatMap((name) => {
    const [issue] = cameraName.safeParse(name).error?.issues ?? [];
    const shown = name.length > 70 ? `${name.slice(0, 67)}…` : name;
    const message = `the name "${shown}" of a camera ${issue?.message}`;
    return issue ? [{ path: ['cameras', name], key: true, message }] : [];
  });
}

/** Cameras that no sink takes frames of. */
function idle(
  inspected: readonly { readonly parts: PipelineParts }[],
  names: readonly string[],
): Problem[] {
  return inspected.flatMap(({ parts }, index) => {
    if (parts.branches.length > 0) return [];
    const message = `no sink takes the frames of camera "${names[index]}"; "discard" only counts them`;
    return [{ path: ['cameras', names[index] as string], key: true, message }];
  });
}

/**
 * The pipeline, for what takes one source only.
 *
 * @param file that it was loaded from
 * @throws DepthlineError `CONFIG` if it has several cameras
 */
export function ofOneSource(pipeline: AnyPipeline, file: string): Pipeline {
  if (!hasCameras(pipeline)) return pipeline;
  const names = pipeline.cameras.map(({ camera }) => camera).join(', ');
  throw new DepthlineError(
    'CONFIG',
    `${file} has the cameras ${names}, and this takes one source; write a file with "source" in place of "cameras"`,
  );
}
