import { relative } from 'node:path';
import { cameraPlaceholder } from '../core/camera-placeholder.ts';
import { DepthlineError } from '../core/errors.ts';
import { valueProblems } from '../core/option-problems.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { type AnyPipeline, hasCameras, pipelinesOf } from '../pipeline/cameras.ts';
import { pathConflicts } from '../pipeline/path-conflicts.ts';
import type { BranchStep, Pipeline } from '../pipeline/pipeline.ts';
import { mcap } from '../sinks/mcap.ts';

/** Frames that may wait for the disk before the source is held. */
const waitingFrames = 8;

/**
 * The pipeline with a branch that records the frames of its source, before any operator; of several
 * cameras, each in a file of its own.
 *
 * @param path of the file, from the working directory; may contain strftime fields, and `{camera}`, which
 *   else stands before the ending
 * @throws DepthlineError `CONFIG` if nothing can be recorded there
 */
export function recorded(pipeline: AnyPipeline, path: string): AnyPipeline {
  if (!hasCameras(pipeline)) return withoutConflict(withRecord(pipeline, path), path);
  const own = path.includes(cameraPlaceholder) ? path : path.replace(/(\.[^./]*)?$/, '-{camera}$1');
  const cameras = pipeline.cameras.map((one) => ({
    ...withRecord(one, own.replaceAll(cameraPlaceholder, one.camera)),
    camera: one.camera,
  }));
  return withoutConflict({ ...pipeline, cameras }, path);
}

function withRecord(pipeline: Pipeline, path: string): Pipeline {
  const given = { path: resolvePath(process.cwd(), path) };
  const { success, data } = mcap.options.safeParse(given);
  if (!success) {
    const [problem] = valueProblems(mcap.options, given);
    throw new DepthlineError('CONFIG', `--record ${path}: ${problem?.message}`);
  }
  const taken = new Set(pipeline.branches.map(({ name }) => name));
  const branch: BranchStep = {
    path: '--record',
    at: ['sinks', '--record'],
    name: free('record', taken),
    sink: { definition: mcap, options: data },
    queue: { limit: waitingFrames, whenFull: 'block' },
    operators: [],
    onError: 'fail',
    takes: 'source',
  };
  return { ...pipeline, branches: [...pipeline.branches, branch] };
}

function withoutConflict<P extends AnyPipeline>(pipeline: P, path: string): P {
  const [conflict] = pathConflicts(pipelinesOf(pipeline));
  if (!conflict) return pipeline;
  const place = relative(process.cwd(), resolvePath(process.cwd(), path));
  throw new DepthlineError('CONFIG', `--record ${place}: ${conflict.message}`);
}

function free(name: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}
