import { access, constants, mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { type ComponentContext, defineSink, type PathUse, type Sink } from '../core/component.ts';
import type { Frame } from '../core/frame.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { existingChoices, FileIndex } from '../files/file-index.ts';
import {
  endings,
  FrameFiles,
  fileFormats,
  fileLayouts,
  layoutFolders,
} from '../files/frame-files.ts';
import { NameTaken, writeNew } from '../files/own-file.ts';
import { lockPlace } from '../files/place-lock.ts';
import { expandTime, hasTime, staticPart, staysInside } from '../files/time-fields.ts';
import { sinkError } from '../files/write-problem.ts';

const options = z.strictObject({
  directory: z
    .string()
    .min(1)
    .refine(staysInside, {
      error: 'must not hold ".." after a time field',
    })
    .describe(
      'where files go; may hold strftime fields of the capture time, local (out/%Y-%m-%d/%H)',
    ),
  format: z
    .enum(fileFormats)
    .default('png16')
    .describe(
      'png16: depth in millimetres; npy: depth in metres, points, pictures; png, jpeg: pictures; json: data, a file per frame',
    ),
  layout: z
    .enum(fileLayouts)
    .default('flat')
    .describe(
      'flat: one file per frame; rgbd: a data set with rgb/ (jpeg if that is the format, else png) and depth/ (png16)',
    ),
  prefix: z
    .string()
    .regex(/^[\w.-]*$/, { error: 'must be letters, digits, ".", "_" and "-"' })
    .max(100)
    .default('')
    .describe('put before file names; two sinks with one directory need different ones'),
  quality: z.int().min(1).max(100).default(92).describe('jpeg quality, 1 to 100'),
  existing: z
    .enum(existingChoices)
    .default('append')
    .describe(
      'frames of an earlier run: append keeps them and continues their numbers, overwrite removes those in index.csv, fail refuses. Files that this sink did not write are never replaced',
    ),
});

type Options = z.output<typeof options>;

/**
 * Writes each frame to a file, `NNNNNN` (its seq) with an ending. A file appears under its name
 * only when it is complete: it is written as `NAME.part` in the same directory first. No existing
 * file is replaced: where numbers are taken, those of the frames continue after them. `index.csv`
 * beside the files has seq, pts (ns), capturedAt (ns since the epoch) and file names, a line per
 * frame.
 */
export const file = defineSink({
  name: 'file',
  summary: 'Writes frames to files: 16-bit PNG, NumPy, PNG, JPEG, JSON, or an RGB-D data set.',
  accepts: ['depth', 'image', 'points', 'data'],
  options,
  examples: [
    { directory: 'out/depth', format: 'png16' },
    { directory: 'out/%Y-%m-%d/%H', format: 'npy' },
    { directory: 'out/dataset', layout: 'rgbd', format: 'jpeg' },
  ],
  writes({ directory, prefix, format, layout }, baseDirectory) {
    const at = BigInt(Date.now()) * 1_000_000n;
    const path = resolvePath(baseDirectory, expandTime(directory, at));
    const stem = `${prefix}000000`;
    const use = (folder: string, ...samples: string[]): PathUse => {
      return { path: join(path, folder), as: 'folder', option: 'directory', samples };
    };
    const list = use('.', `${prefix}index.csv`);
    if (layout === 'flat') return [use('.', `${stem}.${endings[format]}`), list];
    const picture = format === 'jpeg' ? endings.jpeg : endings.png;
    return [use('rgb', `${stem}.${picture}`), use('depth', `${stem}.${endings.png16}`), list];
  },
  async create(options, context) {
    // The image library is native: it is loaded when a file sink is used, but before a frame comes.
    const files = new FrameFiles(options, await import('../imaging/encode.ts'));
    const writer = new Writer(options, context, files);
    context.defer(() => writer.close());
    await writer.prepare();
    context.summary(() => ({
      directory: writer.newest,
      files: writer.files,
      bytes: writer.bytes,
    }));
    return writer;
  },
});

class Writer implements Sink {
  files = 0;
  bytes = 0;
  /** The directory that was written to last. */
  newest: string;
  readonly #options: Options;
  readonly #context: ComponentContext;
  readonly #frameFiles: FrameFiles;
  /** Directories in which this run has begun, with the last number in each if it is known. */
  readonly #begun = new Map<string, number | undefined>();
  #index: FileIndex | undefined;

  constructor(options: Options, context: ComponentContext, frameFiles: FrameFiles) {
    this.#options = options;
    this.#context = context;
    this.#frameFiles = frameFiles;
    this.newest = resolvePath(context.baseDirectory, staticPart(options.directory));
  }

  /** Finds out before the first frame whether files can be written. */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.newest, { recursive: true });
      await access(this.newest, constants.W_OK);
      if (!hasTime(this.#options.directory)) await this.#enter(this.newest);
      else await this.#lockTemplate();
    } catch (error) {
      throw sinkError(this.newest, error);
    }
  }

  async write(frame: Frame): Promise<void> {
    const directory = this.#directory(frame);
    const written: string[] = [];
    try {
      const index = await this.#enter(directory);
      const parts = this.#frameFiles.of(frame, index.stem(frame));
      let bytes = 0;
      for (const part of parts) {
        const data = await part.encode();
        const path = join(directory, part.name);
        await writeNew(path, data);
        written.push(path);
        bytes += data.length;
      }
      await index.add(
        frame,
        parts.map(({ name }) => name),
      );
      this.files += parts.length;
      this.bytes += bytes;
    } catch (error) {
      // All of a frame or nothing of it; the index is opened again, which completes a cut line.
      await Promise.all(written.map((path) => rm(path, { force: true })));
      await this.close();
      // Somebody else writes there too: look again which numbers are free.
      if (error instanceof NameTaken) this.#begun.set(directory, undefined);
      throw sinkError(directory, error);
    }
  }

  async close(): Promise<void> {
    const index = this.#index;
    this.#index = undefined;
    if (index) this.#begun.set(index.directory, index.last);
    await index?.close();
  }

  #directory({ capturedAt }: Frame): string {
    return resolvePath(
      this.#context.baseDirectory,
      expandTime(this.#options.directory, capturedAt),
    );
  }

  /** A second run with the same template must say so at its start, not at its first frame. */
  async #lockTemplate(): Promise<void> {
    const { directory, prefix } = this.#options;
    const template = relative(staticPart(directory), directory);
    const lock = await lockPlace(this.newest, `${template}/${prefix}index.csv`);
    this.#context.defer(() => lock.release());
  }

  /** Makes a directory ready when it is another one than before. */
  async #enter(directory: string): Promise<FileIndex> {
    if (this.#index?.directory === directory) return this.#index;
    await this.close();
    const { prefix, layout } = this.#options;
    // What is there from this run is not what `existing` is about.
    const existing = this.#begun.has(directory) ? 'append' : this.#options.existing;
    const resumeAfter = this.#begun.get(directory);
    this.#index = await FileIndex.open({ directory, prefix, existing, resumeAfter });
    for (const folder of layoutFolders[layout])
      await mkdir(join(directory, folder), { recursive: true });
    const { last } = this.#index;
    if (last >= 0 && !this.#begun.has(directory))
      this.#context.log.info(`${directory} has files up to number ${last}; the next one follows`);
    this.#begun.set(directory, last);
    this.newest = directory;
    return this.#index;
  }
}
