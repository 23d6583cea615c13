import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DepthlineError } from '../core/errors.ts';
import { readRegularFile, whyUnreadable } from '../core/regular-file.ts';
import { type IndexRow, parseRows } from './index-rows.ts';

/**
 * The rows of every `index.csv` in a folder, in their order, by the absolute path of each file.
 *
 * @param required whether there must be one
 * @throws DepthlineError `SOURCE` if there is none that is required
 */
export async function recordedRows(
  folder: string,
  required: boolean,
): Promise<Map<string, IndexRow>> {
  const found = (await readdir(folder)).filter((name) => name.endsWith('index.csv')).sort();
  if (found.length === 0 && required) {
    throw new DepthlineError(
      'SOURCE',
      `no index.csv in ${folder}, which the file sink writes; set "times: fps"`,
    );
  }
  const rows = new Map<string, IndexRow>();
  for (const name of found) {
    for (const row of parseRows(await read(join(folder, name)))) {
      for (const file of row.files) rows.set(join(folder, file), row);
    }
  }
  return rows;
}

/** Bytes; millions of frames. */
const longestIndex = 256 * 1024 * 1024;

async function read(path: string): Promise<string> {
  try {
    return await readRegularFile(path, longestIndex);
  } catch (error) {
    throw new DepthlineError('SOURCE', whyUnreadable(path, error), { cause: error });
  }
}

/** Number and time of a frame that is played back. */
export interface PlayedTime {
  readonly seq: number;
  /** Nanoseconds. */
  readonly pts: bigint;
}

/**
 * Numbers and times as they were recorded. Where they begin again (a second run, a loop), they continue
 * after the last ones.
 */
export class RecordedTimeline {
  readonly #step: bigint;
  #seqOffset = 0;
  #ptsOffset = 0n;
  #last: PlayedTime | undefined;

  /** @param step between the last frame of one recording and the first of the next, nanoseconds */
  constructor(step: bigint) {
    this.#step = step;
  }

  next({ seq, pts }: PlayedTime): PlayedTime {
    const last = this.#last;
    if (last && (seq + this.#seqOffset <= last.seq || pts + this.#ptsOffset < last.pts)) {
      this.#seqOffset = last.seq + 1 - seq;
      this.#ptsOffset = last.pts + this.#step - pts;
    }
    this.#last = { seq: seq + this.#seqOffset, pts: pts + this.#ptsOffset };
    return this.#last;
  }
}
