import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/component-context.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import type { BranchAccount, RunStats } from '../core/run-stats.ts';
import type { AnyPipeline } from '../pipeline/cameras.ts';
import type { PipelineChanges } from '../pipeline/pipeline-changes.ts';
import type { FrameObserver } from './frame-observer.ts';
import type { Percentiles } from './latency.ts';
import type { StageListener } from './stage-times.ts';

/** How a pipeline is run. */
export interface RunOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Ends the run after this many captured frames, 1 or more; of each camera, in a run of several. */
  readonly frames?: number;
  /** Ends the run after this many milliseconds, more than 0. */
  readonly durationMs?: number;
  /** A first abort stops the source and drains. */
  readonly signal?: AbortSignal;
  /** How long draining may take after `stop()`, milliseconds; the rest is dropped and counted. */
  readonly drainMs?: number;
  /** Gets each frame that reaches the branches, and each that reaches the sink of a branch. */
  readonly onFrame?: (frame: Frame, branch: string | undefined) => void;
  /** Starts with the source held, as after `pause()`. */
  readonly paused?: boolean;
  /** Notified whenever a stage begins and ends to use the main thread. */
  readonly listener?: StageListener;
  /** Told of every frame that is delivered or worked on, for histograms. */
  readonly observer?: FrameObserver;
}

/** Restarts of one stage’s child process or worker. */
export interface Restart {
  readonly stage: string;
  readonly count: number;
}

/** What a run did, with the ledger of each branch. */
export interface RunSummary {
  readonly pipeline: string;
  readonly captured: number;
  readonly branches: readonly (BranchAccount & { readonly latencyMs: Percentiles | undefined })[];
  /** Frames per second that passed all operators, between the first and the last of them. */
  readonly fps: number;
  /** Capture to delivery over all branches, milliseconds. */
  readonly latencyMs: Percentiles | undefined;
  readonly elapsedMs: number;
  readonly restarts: readonly Restart[];
  /** Reports of components: accuracy, files written, messages sent. */
  readonly components: Readonly<Record<string, Record<string, unknown>>>;
  /** Where the ledger law is broken, in words; empty unless Depthline or a component has a bug. */
  readonly violations: readonly string[];
  /** In a run of several cameras: what became of each. */
  readonly cameras?: readonly CameraSummary[];
  readonly error?: DepthlineError;
}

/** What one camera of a run of several did. */
export interface CameraSummary
  extends Pick<RunSummary, 'captured' | 'fps' | 'latencyMs' | 'error'> {
  readonly name: string;
}

/** A running pipeline. */
export interface Run {
  /** Resolves when everything is drained and closed, also after an error. Never rejects. */
  readonly done: Promise<RunSummary>;
  /** Stops the source, delivers the frames in flight, closes. */
  stop(): void;
  /** Stops at once; frames in flight are dropped and counted. */
  abort(): void;
  /** What has been counted so far, and the state of every stage. */
  stats(): RunStats;
  /** Holds the source; frames in flight are delivered. A live source loses what comes meanwhile. */
  pause(): void;
  resume(): void;
  /**
   * Resolves with the next frame that reaches the branches, and asks the source for it even while no
   * sink wants frames. `undefined` if none has come when `signal` aborts or the run ends. `camera`: of
   * that one, in a run of several; default: of any.
   */
  nextFrame(signal: AbortSignal, camera?: string): Promise<Frame | undefined>;
  /**
   * Changes the run to another pipeline if all that differs can change while it runs: between two
   * frames, without losing one. Otherwise nothing changes, and `restart` of the result says why.
   *
   * @throws DepthlineError if a component does not take a change; nothing has changed
   */
  adjust(pipeline: AnyPipeline): PipelineChanges;
}

/** @throws DepthlineError `CONFIG` that names every option that is wrong */
export function checkRunOptions({ frames, durationMs, drainMs }: RunOptions): void {
  const problems = [
    frames !== undefined &&
      !(Number.isSafeInteger(frames) && frames >= 1) &&
      'frames must be a whole number, 1 or more; leave it out to run without a limit',
    durationMs !== undefined &&
      !(durationMs > 0) &&
      'durationMs must be more than 0; leave it out to run without a limit',
    drainMs !== undefined && !(drainMs >= 0) && 'drainMs must be 0 or more',
  ].filter((problem) => problem !== false);
  if (problems.length > 0) throw new DepthlineError('CONFIG', problems.join('\n'));
}
