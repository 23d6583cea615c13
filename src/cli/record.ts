import { relative } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import { valueProblems } from '../core/option-problems.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { pathConflicts } from '../pipeline/path-conflicts.ts';
import type { BranchStep, Pipeline } from '../pipeline/pipeline.ts';
import { mcap } from '../sinks/mcap.ts';

/** Frames that may wait for the disk before the source is held. */
const waitingFrames = 8;

/**
 * The pipeline with a branch that records the frames of its source, before any operator.
 *
 * @param path of the file, from the working directory; may contain strftime fields
 * @throws DepthlineError `CONFIG` if nothing can be recorded there
 */
export function recorded(pipeline: Pipeline, path: string): Pipeline {
  const given = { path: resolvePath(process.cwd(), path) };
  const { success, data } = mcap.options.safeParse(given);
  if (!success) {
    const [problem] = valueProblems(mcap.options, given);
    throw new DepthlineError('CONFIG', `--record ${path}: ${problem?.message}`);
  }
  const taken = new Set(pipeline.branches.map(({ name }) => name));
  const branch: BranchStep = {
    path: '--record',
    name: free('record', taken),
    sink: { definition: mcap, options: data },
    queue: { limit: waitingFrames, whenFull: 'block' },
    operators: [],
    onError: 'fail',
    takes: 'source',
  };
  const all = { ...pipeline, branches: [...pipeline.branches, branch] };
  const [conflict] = pathConflicts(all);
  if (conflict)
    throw new DepthlineError(
      'CONFIG',
      `--record ${relative(process.cwd(), given.path)}: ${conflict.message}`,
    );
  return all;
}

function free(name: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}
