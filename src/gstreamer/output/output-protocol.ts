/** Messages between an output and its host process; the pictures themselves go over a socket. */
import type { Failure } from '../failure.ts';

/** A way to put pictures out. The first one that works on this machine is taken. */
export interface Candidate {
  /** For messages and the run's summary: `x264enc`, `ximagesink`. */
  readonly name: string;
  /** Elements that are tried out: they must exist, and with `opens` also get as far as READY. */
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
  /** Pictures that may wait in appsrc while the next one is asked for. */
  readonly waiting: number;
  /** A file that the output of `elements` goes to; without it they end in a sink of their own. */
  readonly file?: OutputFile;
}

export interface OutputFile {
  /** Where it is recorded; must not exist. */
  readonly unfinished: string;
  /** The name that it gets once it is complete. */
  readonly path: string;
  /** Recording that `path` is one of; the next free number follows if `path` is taken by then. */
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
  /** Everything is put out and, where there is a file, it has its name. */
  | { readonly type: 'finished'; readonly path?: string };

/** Before each picture: its PTS, u64 big-endian nanoseconds. The picture's rows have no padding. */
export const ptsLength = 8;

/** One byte from the host says that it is ready for the next picture. */
export const ready = Buffer.of(1);
