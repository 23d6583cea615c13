import { access, constants, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { PathUse } from '../core/component-facts.ts';
import type { Frame } from '../core/frame.ts';
import { makeFolder } from '../core/make-folder.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { existingChoices, FileIndex, namings } from '../files/file-index.ts';
import {
  endings,
  FrameFiles,
  fileFormats,
  fileLayouts,
  fileProblem,
  layoutFolders,
} from '../files/frame-files.ts';
import { NameTaken, writeNew, writeOver } from '../files/own-file.ts';
import { lockPlace } from '../files/place-lock.ts';
import {
  expandTime,
  fieldsAreKnown,
  hasTime,
  staticPart,
  staysInside,
} from '../files/time-fields.ts';
import { sinkError } from '../files/write-problem.ts';

const options = z.strictObject({
  directory: z
    .string()
    .min(1)
    .refine(fieldsAreKnown, {
      error: 'has an unknown time field; use those of strftime, and %% for a percent sign',
    })
    .refine(staysInside, {
      error: 'must not contain ".." after a time field',
    })
    .describe(
      'output folder; may contain strftime fields, filled in with the local capture time (out/%Y-%m-%d/%H)',
    ),
  format: z
    .enum(fileFormats)
    .default('png16')
    .describe(
      'png16: depth in millimetres; npy: depth in metres, points, pictures; png, jpeg: pictures; ply: points with their colours, binary; json: data, one file per frame',
    ),
  layout: z
    .enum(fileLayouts)
    .default('flat')
    .describe(
      'flat: one file per frame; rgbd: a data set with rgb/ (jpeg if that is the format, else png) and depth/ (png16); stereo: a data set of pairs with left/ and right/ (jpeg if that is the format, else png), calib/ and, where there is truth, disparity/ (16-bit PNG, 1/256 pixel)',
    ),
  names: z
    .enum(namings)
    .default('number')
    .describe(
      'number: seq of the frame; source: name of the file that it was read from by images (kitchen.jpg gives kitchen.png), replaced when a frame of that name comes again',
    ),
  prefix: z
    .string()
    .regex(/^[\w.-]*$/, { error: 'must be letters, digits, ".", "_" and "-"' })
    .max(100)
    .default('')
    .describe('prefix of file names; sinks that share a directory need different prefixes'),
  quality: z.int().min(1).max(100).default(92).describe('jpeg quality, 1 to 100'),
  existing: z
    .enum(existingChoices)
    .default('append')
    .describe(
      'frames of earlier runs: append keeps them and continues their numbers (or, by names: source, replaces those of the same name), overwrite removes those listed in index.csv, fail reports an error. Files that this sink did not write are never replaced',
    ),
});

/** Names that are removed or replaced, if index.csv lists them. */
const frameNames = {
  number: /\d{6,}\.(png|jpg|npy|json|ply|txt)$/,
  source: /\.(png|jpg|npy|json|ply|txt)$/,
};

type Options = z.output<typeof options>;

/**
 * Writes each frame to a file named by its seq, `NNNNNN.png`, or after the file that it was read from.
 * Each file is written as `NAME.part` and renamed once it is complete. Existing files are not replaced:
 * if numbers are in use, frames are numbered after them; by `names: source` a frame replaces the files
 * that index.csv lists for its name. `index.csv` in the same directory has one line per frame: seq, pts
 * (ns), capturedAt (ns since the epoch), file names (separated by spaces, percent-encoded where needed)
 * name of the frame and unit of its depth.
 */
export const file = defineSink({
  name: 'file',
  summary: 'Writes frames to files: 16-bit PNG, NumPy, PNG, JPEG, PLY, JSON, or an RGB-D data set.',
  accepts: ['depth', 'image', 'stereo', 'points', 'data'],
  options,
  examples: [
    { directory: 'out/depth', format: 'png16' },
    { directory: 'out/%Y-%m-%d/%H', format: 'npy' },
    { directory: 'out/dataset', layout: 'rgbd', format: 'jpeg' },
    { directory: 'out/photos', names: 'source' },
    { directory: 'out/points', format: 'ply' },
  ],
  writes({ directory, prefix, format, layout, existing, names }, baseDirectory) {
    const at = BigInt(Date.now()) * 1_000_000n;
    const path = resolvePath(baseDirectory, expandTime(directory, at));
    const stem = `${prefix}${names === 'number' ? '000000' : 'name'}`;
    const replaces = existing === 'overwrite' || names === 'source';
    const use = (folder: string, ...samples: string[]): PathUse => {
      const removed = replaces && { names: frameNames[names] };
      return { path: join(path, folder), as: 'folder', option: 'directory', samples, ...removed };
    };
    const list = use('.', `${prefix}index.csv`);
    if (layout === 'flat') return [use('.', `${stem}.${endings[format]}`), list];
    const picture = format === 'jpeg' ? endings.jpeg : endings.png;
    if (layout === 'rgbd')
      return [use('rgb', `${stem}.${picture}`), use('depth', `${stem}.${endings.png16}`), list];
    return [
      use('left', `${stem}.${picture}`),
      use('right', `${stem}.${picture}`),
      use('disparity', `${stem}.${endings.png16}`),
      use('calib', `${stem}.txt`),
      list,
    ];
  },
  check(options, { arriving }) {
    const problem = fileProblem(options, arriving);
    return problem ? [problem] : [];
  },
  async create(options, context) {
    // The native image library is loaded only for pipelines with a file sink, before the first frame.
    const files = new FrameFiles(options, await import('../imaging/encode.ts'));
    const writer = new Writer(options, context, files);
    context.defer(() => writer.close());
    await writer.prepare();
    context.summary(() => ({
      directory: writer.newest,
      files: writer.files,
      bytes: writer.bytes,
      ...(writer.relative && { unit: 'relative' }),
    }));
    return writer;
  },
});

class Writer implements Sink {
  files = 0;
  bytes = 0;
  /** Some of the depth has no unit. */
  relative = false;
  /** The last directory that was written to. */
  newest: string;
  readonly #options: Options;
  readonly #context: ComponentContext;
  readonly #frameFiles: FrameFiles;
  /** Directories that this run has written to, with the last number in each if it is known. */
  readonly #begun = new Map<string, number | undefined>();
  #index: FileIndex | undefined;

  constructor(options: Options, context: ComponentContext, frameFiles: FrameFiles) {
    this.#options = options;
    this.#context = context;
    this.#frameFiles = frameFiles;
    this.newest = resolvePath(context.baseDirectory, staticPart(options.directory));
  }

  /** Checks before the first frame whether files can be written. */
  async prepare(): Promise<void> {
    try {
      await makeFolder(this.newest);
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
        if (index.replaces(frame, part.name)) await writeOver(path, data);
        else {
          await writeNew(path, data);
          written.push(path);
        }
        bytes += data.length;
      }
      await index.add(
        frame,
        parts.map(({ name }) => name),
      );
      this.files += parts.length;
      if (frame.kind === 'depth' && frame.unit === 'relative') this.relative = true;
      this.bytes += bytes;
    } catch (error) {
      // Keep all files of a frame or none. Reopening the index completes a partial line.
      await Promise.all(written.map((path) => rm(path, { force: true })));
      await this.close();
      // Another program writes there: look up the free numbers again.
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

  /** Makes a second run with the same template fail at its start, not at its first frame. */
  async #lockTemplate(): Promise<void> {
    const { directory, prefix } = this.#options;
    const template = relative(staticPart(directory), directory);
    const lock = await lockPlace(this.newest, `${template}/${prefix}index.csv`);
    this.#context.defer(() => lock.release());
  }

  /** Opens the index of a directory, and closes that of the previous one. */
  async #enter(directory: string): Promise<FileIndex> {
    if (this.#index?.directory === directory) return this.#index;
    await this.close();
    const { prefix, layout, names } = this.#options;
    // `existing` applies to earlier runs only.
    const existing = this.#begun.has(directory) ? 'append' : this.#options.existing;
    const resumeAfter = this.#begun.get(directory);
    this.#index = await FileIndex.open({ directory, prefix, existing, names, resumeAfter });
    for (const folder of layoutFolders[layout]) await makeFolder(join(directory, folder));
    const { last } = this.#index;
    if (names === 'number' && last >= 0 && !this.#begun.has(directory))
      this.#context.log.info(
        `${directory} contains files up to number ${last}; numbering continues after it`,
      );
    this.#begun.set(directory, last);
    this.newest = directory;
    return this.#index;
  }
}
