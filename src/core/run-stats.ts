/*
 * What a run tells about itself while it runs. The run makes it; components and the command line only
 * read it.
 */

/** Frames dropped at one stage for one reason. */
export interface Drop {
  readonly stage: string;
  readonly reason: string;
  readonly count: number;
}

/**
 * The account of one branch, from the source to its sink. When the run has ended,
 * `captured + added = delivered + Σ dropped + failed`, and `added` is 0 unless an operator emits
 * more frames than it gets.
 */
export interface BranchAccount {
  readonly name: string;
  /** The camera whose frames these are, in a run of several; `name` then begins with it. */
  readonly camera?: string;
  readonly captured: number;
  readonly added: number;
  readonly delivered: number;
  readonly dropped: readonly Drop[];
  readonly failed: number;
  /** Frames still in flight; 0 at the end. */
  readonly inFlight: number;
}

export interface BranchStats extends BranchAccount {
  /** Age of the newest delivered frame, milliseconds. */
  readonly ageMs: number | undefined;
}

/** The state of one stage of a run. */
export interface StageState {
  /** A name that no other stage of the run has: `estimate-depth`, `web queue`. */
  readonly stage: string;
  readonly kind: 'source' | 'operator' | 'queue' | 'sink';
  /** The branch it belongs to; absent for the source and the operators that all branches share. */
  readonly branch?: string;
  /** The camera it belongs to, in a run of several; `stage` then begins with it. */
  readonly camera?: string;
  /**
   * - `running`: it processes frames
   * - `waiting`: it has no frames; `on` names the stage it waits for
   * - `blocked`: it cannot pass its frames on; `on` names the stage that does not accept them
   * - `reconnecting`: a source has lost its connection, at the time `since`, and is reconnecting
   * - `stalled`: it has frames, or is a source, and has emitted nothing for too long
   */
  readonly state: 'running' | 'waiting' | 'blocked' | 'reconnecting' | 'stalled';
  readonly on?: string;
  /** ISO 8601, UTC. */
  readonly since?: string;
  /** Time since the stage last emitted, failed or dropped a frame, milliseconds. */
  readonly quietMs: number;
  readonly entered: number;
  readonly left: number;
  readonly inside: number;
  readonly dropped: number;
  readonly failed: number;
  /** Frames that wait in the stage's queue; absent if it has none. */
  readonly queued?: number;
  /** Restarts of its child process or worker. */
  readonly restarts: number;
}

/** One camera of a run of several. */
export interface CameraStats {
  readonly name: string;
  readonly captured: number;
  /** Frames that have passed all operators and reached the branches. */
  readonly processed: number;
  /** `ending`: no more frames are captured, and those in flight are delivered. */
  readonly state: 'running' | 'ending' | 'ended' | 'failed';
  /** Why it has failed. */
  readonly error?: string;
}

/** A running pipeline at one moment. */
export interface RunStats {
  /** In a run of several cameras: each of them. */
  readonly cameras?: readonly CameraStats[];
  /** In a run of several cameras: restarts of workers that they share, by stage. */
  readonly sharedRestarts?: readonly { readonly stage: string; readonly count: number }[];
  readonly captured: number;
  /** Frames that have passed all operators and reached the branches. */
  readonly processed: number;
  readonly elapsedMs: number;
  /** No more frames are captured: the source has ended or was stopped. */
  readonly ending: boolean;
  readonly branches: readonly BranchStats[];
  /** True between `pause()` and `resume()`. */
  readonly paused: boolean;
  /** What holds the source now: full `block` queues, operators that are not subscribed. */
  readonly heldBy: readonly string[];
  /** Every stage in the order in which frames pass them; empty before the source has started. */
  readonly stages: readonly StageState[];
}
