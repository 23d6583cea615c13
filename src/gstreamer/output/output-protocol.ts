/** Messages between an output and its host process; pictures are sent over a socket. */
import type { Failure } from '../failure.ts';

/** A way to output pictures. The first that works on this machine is used. */
export interface Candidate {
  /** For messages and the run's summary: `x264enc`, `ximagesink`. */
  readonly name: string;
  /** Launch line to try: its elements must exist, and with `opens` also reach the state READY. */
  readonly trial: string;
  /** The trial opens a device or a display. */
  readonly opens?: boolean;
}

export interface OpenMessage {
  readonly type: 'open';
  readonly candidates: readonly Candidate[];
}

export interface PlayMessage {
  readonly type: 'play';
  readonly format: 'RGB' | 'RGBA';
  readonly width: number;
  readonly height: number;
  /** Frames per second as a fraction for the caps; `measure` takes it from the first two frames. */
  readonly rate: string;
  /** What follows appsrc in the launch line. */
  readonly elements: string;
  /** Pictures that may be queued in appsrc when the next one is requested. */
  readonly waiting: number;
  /** The file that `elements` write to; without it they end in their own sink element. */
  readonly file?: OutputFile;
}

export interface OutputFile {
  /** Path while it is being recorded; must not exist. */
  readonly unfinished: string;
  /** Path once it is complete. */
  readonly path: string;
  /** The path that recordings are numbered from; used if `path` has been taken meanwhile. */
  readonly base: string;
  /** Replaces a regular file at `path`. */
  readonly replace: boolean;
}

/** Ends the process at once. */
export interface StopMessage {
  readonly type: 'stop';
}

export type ToOutput = OpenMessage | PlayMessage | StopMessage;

export type FromOutput =
  | { readonly type: 'opened'; readonly candidate: number }
  | { readonly type: 'failed'; readonly failure: Failure }
  /** All pictures are output; `path` is that of the complete file, if there is one. */
  | { readonly type: 'finished'; readonly path?: string };

/** Before each picture: its PTS, u64 big-endian nanoseconds. The picture's rows have no padding. */
export const ptsLength = 8;

/** The host sends this byte when it is ready for the next picture. */
export const ready = Buffer.of(1);
