import { access, constants, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import strftime from 'strftime';
import { z } from 'zod';
import { type ComponentContext, defineSink, type Sink } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { existingChoices, FileIndex } from '../files/file-index.ts';
import { FrameFiles, fileFormats, fileLayouts, layoutFolders } from '../files/frame-files.ts';
import { writeProblem } from '../files/write-problem.ts';

const options = z.strictObject({
  directory: z
    .string()
    .min(1)
    .refine((template) => !/%.*(^|[\\/])\.\.([\\/]|$)/.test(template), {
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
    .default('')
    .describe('put before file names; two sinks with one directory need different ones'),
  quality: z.int().min(1).max(100).default(92).describe('jpeg quality, 1 to 100'),
  existing: z
    .enum(existingChoices)
    .default('append')
    .describe(
      'frames of an earlier run: append keeps them and numbers on, overwrite removes them, fail refuses',
    ),
});

type Options = z.output<typeof options>;

/**
 * Writes each frame to a file, `NNNNNN` (its seq) with an ending. A file appears under its name
 * only when it is complete: it is written as `NAME.part` in the same directory first. `index.csv`
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
  /** Directories in which this run has begun. */
  readonly #begun = new Set<string>();
  #index: FileIndex | undefined;

  constructor(options: Options, context: ComponentContext, frameFiles: FrameFiles) {
    this.#options = options;
    this.#context = context;
    this.#frameFiles = frameFiles;
    this.newest = resolve(context.baseDirectory, staticPart(options.directory));
  }

  /** Finds out before the first frame whether files can be written. */
  async prepare(): Promise<void> {
    try {
      await mkdir(this.newest, { recursive: true });
      await access(this.newest, constants.W_OK);
      if (!this.#options.directory.includes('%')) await this.#enter(this.newest);
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
        await put(path, data);
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
      // All of a frame or nothing of it; the index is opened again, which mends a cut line.
      await Promise.all(written.map((path) => rm(path, { force: true })));
      await this.close();
      throw sinkError(directory, error);
    }
  }

  async close(): Promise<void> {
    const index = this.#index;
    this.#index = undefined;
    await index?.close();
  }

  #directory(frame: Frame): string {
    const { directory } = this.#options;
    const { baseDirectory } = this.#context;
    if (!directory.includes('%')) return resolve(baseDirectory, directory);
    const at = new Date(Number(frame.capturedAt / 1_000_000n));
    return resolve(baseDirectory, strftime(directory, at));
  }

  /** Makes a directory ready when it is another one than before. */
  async #enter(directory: string): Promise<FileIndex> {
    if (this.#index?.directory === directory) return this.#index;
    await this.close();
    const { prefix, layout } = this.#options;
    // What is there from this run is not what `existing` is about.
    const existing = this.#begun.has(directory) ? 'append' : this.#options.existing;
    this.#index = await FileIndex.open({ directory, prefix, existing });
    for (const folder of layoutFolders[layout])
      await mkdir(join(directory, folder), { recursive: true });
    this.#begun.add(directory);
    this.newest = directory;
    return this.#index;
  }
}

/** Writes a file that nobody sees before it is complete. */
async function put(path: string, data: Uint8Array): Promise<void> {
  const unfinished = `${path}.part`;
  try {
    await writeFile(unfinished, data);
    await rename(unfinished, path);
  } catch (error) {
    // Whatever else goes wrong here, the first error is the one to tell.
    await rm(unfinished, { force: true }).catch(() => {});
    throw error;
  }
}

function sinkError(directory: string, error: unknown): DepthlineError {
  if (error instanceof DepthlineError) return error;
  return new DepthlineError('SINK', writeProblem(directory, error), { cause: error });
}

/** The part of a directory template before its first strftime field. */
function staticPart(template: string): string {
  const field = template.indexOf('%');
  return field < 0 ? template : dirname(`${template.slice(0, field)}x`);
}
