import type { FileHandle } from 'node:fs/promises';
import { rm } from 'node:fs/promises';
import { openNew } from '../files/own-file.ts';
import { publishRecording, recordingPath, unfinishedPath } from '../files/recordings.ts';
import type { ChunkCompressor } from './chunk-compressor.ts';
import {
  ChunkedWriter,
  type EndedChunk,
  type WriterOptions,
  type WrittenMessage,
} from './chunked-writer.ts';

/** What the error of a file that was removed says. */
const vanished = Object.assign(new Error('the file was removed'), { code: 'ENOENT' });

/**
 * One MCAP file that is being recorded, `NAME.recording.mcap` until it is complete. Chunks are
 * written while the next one fills, each only once it is whole: a reader of what is there reads to the
 * last chunk. What could not be written is kept and written at the next attempt.
 */
export class RecordingFile {
  /** The path that it gets when it is complete. */
  readonly path: string;
  readonly unfinished: string;
  readonly #base: string;
  readonly #handle: FileHandle;
  readonly #writer: ChunkedWriter;
  readonly #compressor: ChunkCompressor;
  #pending: Uint8Array[] = [];
  /** Bytes of chunks that have ended and are not compressed yet. */
  #ended = 0;
  /** Bytes that are written. */
  #size = 0;
  #flushing: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** Frames in chunks that are written, compressed, ended, and in the open chunk. */
  readonly #frames = { written: 0, pending: 0, ended: 0, open: 0 };

  private constructor(
    base: string,
    number: number,
    handle: FileHandle,
    writer: ChunkedWriter,
    compressor: ChunkCompressor,
  ) {
    this.#base = base;
    this.path = recordingPath(base, number);
    this.unfinished = unfinishedPath(base, number);
    this.#handle = handle;
    this.#writer = writer;
    this.#compressor = compressor;
  }

  /**
   * Creates the file. Its folder must exist.
   *
   * @param base path of the first recording of this name
   * @param compressor of its chunks, which stays open
   * @throws Error of the file system, also if the name is taken
   */
  static async create(
    base: string,
    number: number,
    options: WriterOptions,
    compressor: ChunkCompressor,
  ): Promise<RecordingFile> {
    const unfinished = unfinishedPath(base, number);
    const handle = await openNew(unfinished);
    const file = new RecordingFile(base, number, handle, new ChunkedWriter(options), compressor);
    try {
      // The head of the file: where nothing can be written, that shows at once.
      file.#collect();
      await file.flush();
      return file;
    } catch (error) {
      await handle.close();
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  /** Frames that are in the file, as far as it is written. */
  get written(): number {
    return this.#frames.written;
  }

  /** Frames that were added and are not written yet. */
  get unwritten(): number {
    const { pending, ended, open } = this.#frames;
    return pending + ended + open;
  }

  /** Bytes of the file with what is not compressed yet. */
  get bytes(): number {
    return Number(this.#writer.length) + this.#ended + this.#writer.openBytes;
  }

  /** True while the open chunk has messages. */
  get hasOpenChunk(): boolean {
    return this.#writer.open > 0;
  }

  /**
   * Adds the messages of one frame, once everything before is written.
   *
   * @param frames 1, or 0 for messages that belong to no frame
   * @throws Error of the file system; nothing was added then
   */
  async add(messages: readonly WrittenMessage[], frames: 0 | 1): Promise<void> {
    await this.flush();
    for (const message of messages) this.#writer.add(message);
    this.#frames.open += frames;
    if (this.#writer.full) this.endChunk();
  }

  /**
   * Ends the open chunk and begins to compress and write it; an error shows at the next `add` or
   * `flush`.
   */
  endChunk(): void {
    const chunk = this.#writer.endChunk();
    if (!chunk) return;
    const frames = this.#frames.open;
    this.#frames.ended += frames;
    this.#frames.open = 0;
    this.#ended += chunk.data.length;
    this.#flushing = this.#flushing.then(() => this.#pack(chunk, frames));
    this.#begin();
  }

  /** @throws Error of the file system if something is left that could not be written */
  async flush(): Promise<void> {
    await this.#flushing;
    if (this.#pending.length > 0) {
      this.#begin();
      await this.#flushing;
    }
    if (this.#pending.length > 0) throw this.#failure;
  }

  /**
   * Completes the file and gives it its name.
   *
   * @param metadata for the end of the file
   * @returns its path: another than `path` if that was taken meanwhile
   * @throws Error of the file system; the file keeps its unfinished name, and `written` tells how many
   *   frames are in it
   */
  async finish(metadata: ReadonlyMap<string, string>): Promise<string> {
    try {
      this.endChunk();
      await this.flush();
      this.#writer.addMetadata('depthline', metadata);
      this.#writer.end();
      this.#collect();
      await this.flush();
    } finally {
      await this.#handle.close();
    }
    const { unfinished, path } = this;
    return publishRecording({ unfinished, path, base: this.#base, replace: false });
  }

  /** Closes the file as it is. It is removed if it holds no frame. */
  async abandon(): Promise<void> {
    await this.#flushing;
    await this.#handle.close().catch(() => {});
    if (this.#frames.written === 0) await rm(this.unfinished, { force: true }).catch(() => {});
  }

  #collect(): void {
    this.#pending.push(...this.#writer.take());
  }

  async #pack(chunk: EndedChunk, frames: number): Promise<void> {
    this.#writer.addChunk(chunk, await this.#compressor.pack(chunk.data));
    this.#collect();
    this.#ended -= chunk.data.length;
    this.#frames.ended -= frames;
    this.#frames.pending += frames;
  }

  #begin(): void {
    this.#flushing = this.#flushing.then(() => this.#write());
  }

  /** Never rejects. Nothing that was written in part stays in the file. */
  async #write(): Promise<void> {
    const [parts, frames] = [this.#pending.slice(), this.#frames.pending];
    if (parts.length === 0) return;
    try {
      // Writing to a file without a name succeeds, but it is gone when it is closed.
      if ((await this.#handle.stat()).nlink === 0) throw vanished;
      for (const part of parts) await this.#handle.appendFile(part);
      this.#size += parts.reduce((sum, part) => sum + part.length, 0);
      this.#pending.splice(0, parts.length);
      this.#frames.pending -= frames;
      this.#frames.written += frames;
    } catch (error) {
      this.#failure = error;
      await this.#handle.truncate(this.#size).catch(() => {});
    }
  }
}
