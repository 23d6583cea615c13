import { type FileHandle, lstat, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { makeFolder } from '../core/make-folder.ts';
import { lastNumberIn, numberOf } from './frame-numbers.ts';
import { recordedGeometry } from './geometry-text.ts';
import {
  columns,
  columnsOf,
  formatRow,
  type IndexRow,
  oldColumns,
  ownFiles,
  parseRows,
} from './index-rows.ts';
import { NameTaken, openNew, openRegular, writeOwn } from './own-file.ts';
import { lockPlace, type PlaceLock } from './place-lock.ts';
import { SourceNames } from './source-names.ts';

export const existingChoices = ['append', 'overwrite', 'fail'] as const;
export type Existing = (typeof existingChoices)[number];

/** What files are named after: the number of the frame, or the name that its source gave it. */
export const namings = ['number', 'source'] as const;
export type Naming = (typeof namings)[number];

export interface IndexOptions {
  readonly directory: string;
  readonly prefix: string;
  /** What to do with the frames of an earlier run. */
  readonly existing: Existing;
  /** Default: number. */
  readonly names?: Naming;
  /** The run's own last number in this directory, when it opens the index again. */
  readonly resumeAfter?: number | undefined;
}

/**
 * The list of a directory's frames, `index.csv` beside them: a line per frame with seq, pts (ns),
 * capturedAt (ns since the epoch), the files, separated by spaces, the name of the frame, the unit of
 * depth, the part of the source's picture that it shows (`view`), and the intrinsics of that picture. It
 * also gives out the file names: no number is used that exists in the directory, whoever wrote it; by
 * `names: source` a frame gets the file of an earlier frame of its name, and its line in the list.
 * While it is open no other run can open it.
 */
export class FileIndex {
  readonly directory: string;
  readonly #prefix: string;
  readonly #handle: FileHandle;
  readonly #lock: PlaceLock;
  /** Added to seq for the number in file names, once the first frame is there. */
  #offset: number | undefined;
  /** Highest number in a file name so far. */
  #last: number;
  readonly #names: SourceNames | undefined;
  /** Some files are listed twice, and the last line counts. */
  #repeats: boolean;

  private constructor(
    { directory, prefix, names }: IndexOptions,
    { handle, last, rows }: Opened,
    lock: PlaceLock,
  ) {
    this.directory = directory;
    this.#prefix = prefix;
    this.#handle = handle;
    this.#lock = lock;
    this.#last = last;
    this.#names = names === 'source' ? new SourceNames(prefix, rows) : undefined;
    this.#repeats = this.#names !== undefined && withoutRepeats(rows).length < rows.length;
  }

  /**
   * @throws DepthlineError `SINK` if there are frames and `existing` is `fail`, if another run
   *   writes there, or if `index.csv` is not a list of frames
   * @throws Error of the file system
   */
  static async open(options: IndexOptions): Promise<FileIndex> {
    const { directory, prefix } = options;
    await makeFolder(directory);
    const lock = await lockPlace(directory, `${prefix}index.csv`);
    try {
      return new FileIndex(options, await openIndex(options), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Highest number in a file name so far, or -1. */
  get last(): number {
    return this.#last;
  }

  /** File name of a frame without its ending: its name, its seq, or a number after all that are taken. */
  stem({ seq, name }: Frame): string {
    if (this.#names && name !== undefined) return this.#names.stem(name);
    if (this.#offset === undefined || seq + this.#offset <= this.#last) {
      this.#offset = seq > this.#last ? 0 : this.#last + 1 - seq;
    }
    return `${this.#prefix}${String(seq + this.#offset).padStart(6, '0')}`;
  }

  /** Whether a file of this frame replaces that of an earlier frame of the same name. */
  replaces({ name }: Frame, file: string): boolean {
    return this.#names?.owns(name, file) ?? false;
  }

  /** Lists a frame whose files are written under the name that `stem` gave. */
  async add(frame: Frame, files: readonly string[]): Promise<void> {
    const { seq, pts, capturedAt, name } = frame;
    if (files.some((file) => this.replaces(frame, file))) this.#repeats = true;
    if (this.#names && name !== undefined) this.#names.add(name, files);
    else this.#last = Math.max(this.#last, seq + (this.#offset ?? 0));
    const row = {
      ...{ seq, pts, capturedAt, files },
      ...(name !== undefined && { name }),
      ...(frame.kind === 'depth' && { unit: frame.unit ?? ('m' as const) }),
      ...('width' in frame && recordedGeometry(frame)),
    };
    await this.#handle.appendFile(`${formatRow(row)}\n`);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
      if (this.#repeats) await dropRepeats(join(this.directory, `${this.#prefix}index.csv`));
    } finally {
      await this.#lock.release();
    }
  }
}

interface Opened {
  readonly handle: FileHandle;
  /** Highest number in a file name, or -1. */
  readonly last: number;
  readonly rows: readonly IndexRow[];
}

async function openIndex(options: IndexOptions): Promise<Opened> {
  const { directory, prefix, existing, names, resumeAfter } = options;
  const path = join(directory, `${prefix}index.csv`);
  if (resumeAfter !== undefined) {
    const rows = names === 'source' ? ((await rowsOf(path)) ?? []) : [];
    return { handle: await openToAppend(path), last: resumeAfter, rows };
  }
  const listed = await rowsOf(path);
  if (existing === 'overwrite' && listed) {
    await removeAll(
      directory,
      listed.flatMap((row) => ownFiles(row, prefix)),
    );
    await writeOwn(path, `${columns}\n`, oldColumns);
  }
  const rows = existing === 'overwrite' ? [] : (listed ?? []);
  const kept = rows.flatMap((row) => ownFiles(row, prefix));
  const numbers = kept.map((name) => numberOf(basename(name), prefix));
  const last = numbers.reduce((a, b) => Math.max(a, b), await lastNumberIn(directory, prefix));
  if (existing === 'fail' && (last >= 0 || kept.length > 0)) {
    const what =
      kept.length > 0
        ? `holds frames already (${prefix}index.csv)`
        : 'holds files with the names of frames';
    throw new DepthlineError(
      'SINK',
      `${directory} ${what}; choose another directory, or set "existing: append" or "existing: overwrite"`,
    );
  }
  return { handle: await openToAppend(path), last, rows };
}

/** The rows of an index; `undefined` if there is none. */
async function rowsOf(path: string): Promise<IndexRow[] | undefined> {
  const handle = await openRegular(path, 'read');
  if (!handle) return undefined;
  try {
    const text = await handle.readFile('utf8');
    // Empty: a full disk took not even the header.
    if (text !== '' && (!text.includes('\n') || !columnsOf(text.split('\n', 1)[0] as string))) {
      throw new NameTaken(path, 'it is not a list of frames; choose another directory or prefix');
    }
    return parseRows(text);
  } finally {
    await handle.close();
  }
}

/** The last row of each set of files. */
function withoutRepeats(rows: readonly IndexRow[]): IndexRow[] {
  const last = new Map<string, IndexRow>();
  for (const row of rows) {
    const key = row.files.join('\n');
    last.delete(key);
    last.set(key, row);
  }
  return [...last.values()];
}

async function dropRepeats(path: string): Promise<void> {
  const rows = withoutRepeats((await rowsOf(path)) ?? []);
  await writeOwn(path, [columns, ...rows.map(formatRow), ''].join('\n'), oldColumns);
}

async function openToAppend(path: string): Promise<FileHandle> {
  const handle = (await openRegular(path, 'append')) ?? (await openNew(path));
  try {
    const { size, nlink } = await handle.stat();
    if (nlink > 1) return await openCopy(path, handle);
    if (size === 0) await handle.appendFile(`${columns}\n`);
    else if (await isOld(handle)) return await openUpgraded(path, handle);
    // A run that was cut off may have left a line without its end.
    else if (!(await endsLine(handle, size))) await handle.appendFile('\n');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A file with a second name (a backup of hard links) must not change under that name. */
async function openCopy(path: string, linked: FileHandle): Promise<FileHandle> {
  await writeOwn(path, await linked.readFile('utf8'), oldColumns);
  await linked.close();
  return openToAppend(path);
}

async function isOld(handle: FileHandle): Promise<boolean> {
  const start = `${columns}\n`;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(start.length), 0, start.length, 0);
  return buffer.toString('latin1', 0, bytesRead) !== start;
}

/** A list of an earlier version, whose lines lack the last columns, gets them. */
async function openUpgraded(path: string, old: FileHandle): Promise<FileHandle> {
  const [first = '', ...lines] = (await old.readFile('utf8')).split('\n');
  const more = ','.repeat(columns.split(',').length - (columnsOf(first) as number));
  const rows = lines.map((line) => (line === '' ? '' : `${line.replace(/\r$/, '')}${more}`));
  await writeOwn(path, [columns, ...rows].join('\n'), oldColumns);
  await old.close();
  return openToAppend(path);
}

async function endsLine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 10;
}

async function removeAll(directory: string, files: readonly string[]): Promise<void> {
  const linked = new Map<string, boolean>();
  for (const name of files) {
    const folder = dirname(join(directory, name));
    if (!linked.has(folder)) linked.set(folder, folder !== directory && (await isLink(folder)));
    // Where a folder became a link, or a file a directory, the name is no longer that frame's.
    if (linked.get(folder)) continue;
    await rm(join(directory, name), { force: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_FS_EISDIR' && error.code !== 'ENOTDIR') throw error;
    });
  }
}

async function isLink(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isSymbolicLink() ?? false;
}
