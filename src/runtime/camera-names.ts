import { DepthlineError } from '../core/errors.ts';
import type { RunStats } from '../core/run-stats.ts';
import type { FrameObserver } from './frame-observer.ts';
import type { RunSummary } from './run-handle.ts';

/*
 * What the run of one camera tells, as part of a run of several: names begin with that of the camera.
 */

/** What the run of a camera has counted, with its name. */
export function statsOf(camera: string, stats: RunStats): RunStats {
  const named = (name: string) => `${camera}/${name}`;
  return {
    ...stats,
    heldBy: stats.heldBy.map(named),
    stages: stats.stages.map((one) => ({
      ...one,
      camera,
      stage: named(one.stage),
      ...(one.branch !== undefined && { branch: named(one.branch) }),
      ...(one.on !== undefined && { on: named(one.on) }),
    })),
    branches: stats.branches.map((one) => ({ ...one, camera, name: named(one.name) })),
  };
}

/** The observer of a run, told of one camera. */
export function observerOf(camera: string, observer: FrameObserver): FrameObserver {
  return {
    delivered: (branch, ageMs) => observer.delivered(branch, ageMs, camera),
    worked: (stage, ms, model) => observer.worked(stage, ms, model, camera),
  };
}

interface Named {
  readonly name: string;
  readonly summary: RunSummary;
}

/** What a run of several cameras did, from what each did and what they shared. */
export function summaryOf(
  pipeline: string,
  cameras: readonly Named[],
  shared: Pick<RunSummary, 'components' | 'restarts'> & {
    readonly error: DepthlineError | undefined;
  },
): RunSummary {
  const all = cameras.map(({ summary }) => summary);
  const sum = (of: (summary: RunSummary) => number) =>
    all.reduce((total, summary) => total + of(summary), 0);
  const prefixed = <T>(
    of: (summary: RunSummary) => readonly T[],
    name: (one: T, camera: string) => T,
  ) => cameras.flatMap((camera) => of(camera.summary).map((one) => name(one, camera.name)));
  const error = failure(cameras) ?? shared.error;
  return {
    pipeline,
    captured: sum(({ captured }) => captured),
    fps: sum(({ fps }) => fps),
    elapsedMs: Math.max(...all.map(({ elapsedMs }) => elapsedMs)),
    latencyMs: undefined,
    branches: prefixed(
      ({ branches }) => branches,
      (one, camera) => ({ ...one, camera, name: `${camera}/${one.name}` }),
    ),
    restarts: [
      ...prefixed(
        ({ restarts }) => restarts,
        (one, camera) => ({ ...one, stage: `${camera}/${one.stage}` }),
      ),
      ...shared.restarts,
    ],
    components: {
      ...Object.fromEntries(
        cameras.flatMap(({ name, summary }) =>
          Object.entries(summary.components).map(([key, value]) => [`${name}/${key}`, value]),
        ),
      ),
      ...shared.components,
    },
    violations: prefixed(
      ({ violations }) => violations,
      (text, camera) => `${camera}/${text}`,
    ),
    cameras: cameras.map(({ name, summary }) => {
      const { captured, fps, latencyMs, error: its } = summary;
      return { name, captured, fps, latencyMs, ...(its && { error: its }) };
    }),
    ...(error && { error }),
  };
}

/** Names the cameras that have failed; each reason was told when it happened. */
function failure(cameras: readonly Named[]): DepthlineError | undefined {
  const failed = cameras.filter(({ summary }) => summary.error);
  const [first] = failed;
  if (!first) return undefined;
  const { error } = first.summary;
  if (cameras.length === 1) return error;
  const names = failed.map(({ name }) => name).join(', ');
  const message = `${failed.length} of ${cameras.length} cameras failed: ${names}`;
  return new DepthlineError((error as DepthlineError).code, message, { cause: error });
}
