import type { Losses } from './timeline.ts';

/** How frames are taken from a capture process. */
export interface Intake {
  /** Frames that are requested or wait here at once, for each that is worked on. */
  readonly window: number;
  /** Which gaps in PTS are lost frames. */
  readonly losses: Losses;
  /** How the process is stopped. */
  readonly stop: 'at once' | 'in order';
  /** PTS count from the moment at which the pipeline was started. */
  readonly fromStart: boolean;
  /** Age of a frame when it is emitted, nanoseconds; both times are monotonic. */
  age(capturedAt: bigint, now: bigint): bigint;
}

/** A camera: the newest frame is taken, nothing is fetched ahead. */
export const newestFrame: Intake = {
  window: 1,
  losses: 'every gap',
  // A driver that is not closed in order may refuse the next start.
  stop: 'in order',
  fromStart: true,
  age: (capturedAt, now) => now - capturedAt,
};

/** A file played in real time: like a camera, but its frames may come at irregular intervals. */
export const playedFrame: Intake = {
  ...newestFrame,
  losses: 'gaps while unrequested',
  fromStart: false,
};

/** A source that waits: every frame is taken, one fetched while another is processed. */
export const everyFrame: Intake = {
  window: 2,
  losses: 'none',
  stop: 'at once',
  fromStart: false,
  // Waiting for the pipeline does not count as age.
  age: () => 0n,
};
