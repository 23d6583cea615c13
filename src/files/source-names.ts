import { posix } from 'node:path';
import { type IndexRow, oneLine, ownFiles, stemOf } from './index-rows.ts';

/** File names after the names of frames. Two frames of one stem get different ones. */
export class SourceNames {
  readonly #prefix: string;
  /** Stem by name of the frame, and the other way round. */
  readonly #stems = new Map<string, string>();
  readonly #taken = new Map<string, string>();
  /** Files of earlier frames, with the names of these. */
  readonly #files = new Map<string, string>();

  constructor(prefix: string, rows: readonly IndexRow[]) {
    this.#prefix = prefix;
    for (const row of rows) this.add(row.name, ownFiles(row, prefix));
  }

  /** File name without its ending; the same for every frame of this name. */
  stem(name: string): string {
    const known = this.#stems.get(oneLine(name));
    if (known !== undefined) return known;
    const plain = stemOf(name, this.#prefix);
    for (let stem = plain, n = 2; ; stem = `${plain}-${n++}`) {
      if (!this.#taken.has(stem)) return stem;
    }
  }

  /** Whether a file is that of an earlier frame of this name, which the next one replaces. */
  owns(name: string | undefined, file: string): boolean {
    return name !== undefined && this.#files.get(file) === oneLine(name);
  }

  add(name: string | undefined, files: readonly string[]): void {
    for (const file of files) {
      const stem = posix.parse(file).name;
      if (!this.#taken.has(stem)) this.#taken.set(stem, name ?? '');
      if (name === undefined) continue;
      this.#stems.set(oneLine(name), stem);
      this.#files.set(file, oneLine(name));
    }
  }
}
