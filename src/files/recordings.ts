import { lstat, readdir, rename } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { makeFolder } from '../core/make-folder.ts';
import { NameTaken, notRegular, publish } from './own-file.ts';

/** Recordings of one path, `NAME.mkv`: the first has this name, later ones `NAME-2.mkv` and so on. */
export interface Recordings {
  /** Highest number that is in use, or 0. */
  readonly last: number;
  /** The newest recording, if it was cut off; absolute path. */
  readonly cutOff: string | undefined;
}

/** `NAME.mkv` for the first recording, `NAME-2.mkv` for the second. */
export function recordingPath(path: string, number: number): string {
  const ending = extname(path);
  const stem = path.slice(0, -ending.length);
  return number === 1 ? path : `${stem}-${number}${ending}`;
}

/** The name while it is recorded: `NAME.recording.mkv`. */
export function unfinishedPath(path: string, number: number): string {
  const complete = recordingPath(path, number);
  const ending = extname(complete);
  return `${complete.slice(0, -ending.length)}.recording${ending}`;
}

/** Makes the folder of a recording and looks which recordings are in it, whoever made them. */
export async function findRecordings(path: string): Promise<Recordings> {
  const directory = dirname(path);
  await makeFolder(directory);
  const ending = extname(path);
  const stem = basename(path, ending);
  let last = 0;
  let cutOff: string | undefined;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(stem)) continue;
    const [all, digits = '1', recording] =
      /^(?:-([1-9]\d{0,4}))?(\.recording)?\.(?:mkv|mp4|mcap)$/i.exec(name.slice(stem.length)) ?? [];
    if (all === undefined) continue;
    if (Number(digits) < last) continue;
    last = Number(digits);
    cutOff = recording === undefined ? undefined : join(directory, name);
  }
  return { last, cutOff };
}

/** A complete recording and the name that it is to get. */
export interface FinishedRecording {
  readonly unfinished: string;
  readonly path: string;
  /** The path that `path` is numbered from. */
  readonly base: string;
  /** Replaces a regular file at `path`. */
  readonly replace: boolean;
}

/**
 * Gives a complete recording its name, or the next free number if somebody has taken that name.
 *
 * @returns the path that it got
 */
export async function publishRecording(recording: FinishedRecording): Promise<string> {
  const { unfinished, path, base, replace } = recording;
  if (replace && (await isRegular(path))) {
    await rename(unfinished, path);
    return path;
  }
  let number = 0;
  for (let target = path; ; target = recordingPath(base, number)) {
    try {
      await publish(unfinished, target);
      return target;
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
      number = Math.max(number, (await findRecordings(base)).last) + 1;
    }
  }
}

/** @throws NameTaken if a path belongs to something that must not be replaced: a link, a folder */
export async function requireReplaceable(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats && !stats.isFile()) throw notRegular(path);
}

/** True for a file that is no link. */
async function isRegular(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
