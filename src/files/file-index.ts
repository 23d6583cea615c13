import { type FileHandle, lstat, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { lastNumberIn, numberOf } from './frame-numbers.ts';
import { NameTaken, openNew, openRegular, writeOwn } from './own-file.ts';
import { lockPlace, type PlaceLock } from './place-lock.ts';

export const existingChoices = ['append', 'overwrite', 'fail'] as const;
export type Existing = (typeof existingChoices)[number];

const header = 'seq,pts,capturedAt,files';

export interface IndexOptions {
  readonly directory: string;
  readonly prefix: string;
  /** What to do with the frames of an earlier run. */
  readonly existing: Existing;
  /** The run's own last number in this directory, when it opens the index again. */
  readonly resumeAfter?: number | undefined;
}

/**
 * The list of a directory's frames, `index.csv` beside them: a line per frame with seq, pts (ns),
 * capturedAt (ns since the epoch) and the files, separated by spaces. It also gives out the file
 * names: no name is used that exists in the directory, whoever wrote it. While it is open no other
 * run can open it.
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

  private constructor(
    { directory, prefix }: IndexOptions,
    handle: FileHandle,
    lock: PlaceLock,
    last: number,
  ) {
    this.directory = directory;
    this.#prefix = prefix;
    this.#handle = handle;
    this.#lock = lock;
    this.#last = last;
  }

  /**
   * @throws DepthlineError `SINK` if there are frames and `existing` is `fail`, if another run
   *   writes there, or if `index.csv` is not a list of frames
   * @throws Error of the file system
   */
  static async open(options: IndexOptions): Promise<FileIndex> {
    const { directory, prefix } = options;
    await mkdir(directory, { recursive: true });
    const lock = await lockPlace(directory, `${prefix}index.csv`);
    try {
      const { handle, last } = await openIndex(options);
      return new FileIndex(options, handle, lock, last);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Highest number in a file name so far, or -1. */
  get last(): number {
    return this.#last;
  }

  /** File name of a frame without its ending: its seq, or a number after all that are taken. */
  stem({ seq }: Frame): string {
    if (this.#offset === undefined || seq + this.#offset <= this.#last) {
      this.#offset = seq > this.#last ? 0 : this.#last + 1 - seq;
    }
    return `${this.#prefix}${String(seq + this.#offset).padStart(6, '0')}`;
  }

  /** Lists a frame whose files are written under the name that `stem` gave. */
  async add({ seq, pts, capturedAt }: Frame, files: readonly string[]): Promise<void> {
    this.#last = Math.max(this.#last, seq + (this.#offset ?? 0));
    await this.#handle.appendFile(`${seq},${pts},${capturedAt},${files.join(' ')}\n`);
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      await this.#lock.release();
    }
  }
}

async function openIndex(options: IndexOptions): Promise<{ handle: FileHandle; last: number }> {
  const { directory, prefix, existing, resumeAfter } = options;
  const path = join(directory, `${prefix}index.csv`);
  if (resumeAfter !== undefined) return { handle: await openToAppend(path), last: resumeAfter };
  const listed = await filesListed(path);
  if (existing === 'overwrite' && listed) {
    await removeAll(directory, listed);
    await writeOwn(path, `${header}\n`, header);
  }
  const kept = existing === 'overwrite' ? [] : (listed ?? []);
  const numbers = kept.map((name) => numberOf(basename(name), prefix));
  const last = numbers.reduce((a, b) => Math.max(a, b), await lastNumberIn(directory, prefix));
  if (existing === 'fail' && last >= 0) {
    const what =
      kept.length > 0
        ? `holds frames already (${prefix}index.csv)`
        : 'holds files with the names of frames';
    throw new DepthlineError(
      'SINK',
      `${directory} ${what}; choose another directory, or set "existing: append" or "existing: overwrite"`,
    );
  }
  return { handle: await openToAppend(path), last };
}

/** Files that an index lists; `undefined` if there is none. */
async function filesListed(path: string): Promise<string[] | undefined> {
  const handle = await openRegular(path, 'read');
  if (!handle) return undefined;
  try {
    const text = await handle.readFile('utf8');
    // Empty: a full disk took not even the header.
    if (text !== '' && !text.startsWith(`${header}\n`)) {
      throw new NameTaken(path, 'it is not a list of frames; choose another directory or prefix');
    }
    return filesOf(text);
  } finally {
    await handle.close();
  }
}

async function openToAppend(path: string): Promise<FileHandle> {
  const handle = (await openRegular(path, 'append')) ?? (await openNew(path));
  try {
    const { size, nlink } = await handle.stat();
    if (nlink > 1) return await openCopy(path, handle);
    if (size === 0) await handle.appendFile(`${header}\n`);
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
  await writeOwn(path, await linked.readFile('utf8'), header);
  await linked.close();
  return openToAppend(path);
}

async function endsLine(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 10;
}

/** File names in an index: only such as this sink writes, whatever else it lists. */
function filesOf(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.split(',')[3]?.split(' ') ?? [])
    .filter((name) => /^(rgb\/|depth\/)?[\w.-]*\d{6,}\.(png|jpg|npy|json)$/.test(name));
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
