import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';

export const existingChoices = ['append', 'overwrite', 'fail'] as const;
export type Existing = (typeof existingChoices)[number];

const header = 'seq,pts,capturedAt,files';

export interface IndexOptions {
  readonly directory: string;
  readonly prefix: string;
  /** What to do with the frames of an earlier run. */
  readonly existing: Existing;
}

/**
 * The list of a directory's frames, `index.csv` beside them: a line per frame with seq, pts (ns),
 * capturedAt (ns since the epoch) and the files, separated by spaces.
 */
export class FileIndex {
  readonly directory: string;
  readonly #handle: FileHandle;
  readonly #prefix: string;
  /** Added to seq for the number in file names, once the first frame is there. */
  #offset: number | undefined;
  /** Highest number in a file name so far. */
  readonly #last: number;

  private constructor({ directory, prefix }: IndexOptions, handle: FileHandle, last: number) {
    this.directory = directory;
    this.#prefix = prefix;
    this.#handle = handle;
    this.#last = last;
  }

  /**
   * @throws DepthlineError `SINK` if there are frames and `existing` is `fail`
   * @throws Error of the file system
   */
  static async open(options: IndexOptions): Promise<FileIndex> {
    const { directory, prefix, existing } = options;
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${prefix}index.csv`);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const files = filesOf(text);
    if (files.length > 0 && existing === 'fail') {
      throw new DepthlineError(
        'SINK',
        `${directory} holds frames already (${prefix}index.csv); choose another directory, or set "existing: append" or "existing: overwrite"`,
      );
    }
    if (existing === 'overwrite') await removeAll(directory, files);
    const anew = existing === 'overwrite' || text === '';
    const handle = await open(path, anew ? 'w' : 'a');
    try {
      if (anew) await handle.appendFile(`${header}\n`);
      // A run that was cut off may have left a line without its end.
      else if (!text.endsWith('\n')) await handle.appendFile('\n');
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new FileIndex(options, handle, anew ? -1 : lastNumber(files, prefix));
  }

  /** File name of a frame without its ending: its seq, or a number after those of earlier runs. */
  stem({ seq }: Frame): string {
    this.#offset ??= seq > this.#last ? 0 : this.#last + 1 - seq;
    return `${this.#prefix}${String(seq + this.#offset).padStart(6, '0')}`;
  }

  async add({ seq, pts, capturedAt }: Frame, files: readonly string[]): Promise<void> {
    await this.#handle.appendFile(`${seq},${pts},${capturedAt},${files.join(' ')}\n`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** File names in an index: only such as this sink writes, whatever somebody put there. */
function filesOf(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.split(',')[3]?.split(' ') ?? [])
    .filter((name) => /^(rgb\/|depth\/)?[\w.-]*\d{6,}\.(png|jpg|npy|json)$/.test(name));
}

function lastNumber(files: readonly string[], prefix: string): number {
  let last = -1;
  for (const name of files) {
    const stem = name.replace(/^(rgb|depth)\//, '');
    const number = stem.startsWith(prefix) ? Number.parseInt(stem.slice(prefix.length), 10) : -1;
    if (number > last) last = number;
  }
  return last;
}

async function removeAll(directory: string, files: readonly string[]): Promise<void> {
  for (const name of files) await rm(join(directory, name), { force: true });
}
