import { constants } from 'node:fs';
import {
  access,
  type FileHandle,
  mkdir,
  open,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import strftime from 'strftime';
import { z } from 'zod';
import { type ComponentContext, defineSink, type Sink } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DepthMap, Frame, ImageFrame } from '../core/frame.ts';
import { encodeNpy } from '../core/npy.ts';

const options = z.strictObject({
  directory: z
    .string()
    .min(1)
    .describe('where files go; may hold strftime fields of the capture time (out/%Y-%m-%d/%H)'),
  format: z
    .enum(['png16', 'npy', 'png', 'jpeg', 'json'])
    .default('png16')
    .describe('png16: depth in millimetres; npy: float32 metres; png, jpeg: pictures; json: data'),
  layout: z
    .enum(['flat', 'rgbd'])
    .default('flat')
    .describe('flat: one file per frame; rgbd: a data set with rgb/ and depth/'),
  prefix: z
    .string()
    .regex(/^[\w.-]*$/, { error: 'must be letters, digits, ".", "_" and "-"' })
    .default('')
    .describe('put before the frame number in file names'),
  quality: z.int().min(1).max(100).default(92).describe('jpeg quality, 1 to 100'),
  existing: z
    .enum(['append', 'fail'])
    .default('append')
    .describe(
      'when the directory has an index already: add to it (same names are replaced), or refuse',
    ),
});

type Options = z.output<typeof options>;

const indexHeader = 'seq,pts,capturedAt,files\n';

/**
 * Writes each frame to a file. A file appears under its name only when it is complete: it is
 * written under another name in the same directory first. `index.csv` beside the files has seq,
 * pts (ns), capturedAt (ns since the epoch) and file names, a line per frame.
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
    const root = resolve(context.baseDirectory, staticPart(options.directory));
    await writable(root);
    const writer = new Writer(options, context);
    context.defer(() => writer.close());
    context.summary(() => ({
      directory: writer.newest ?? root,
      files: writer.files,
      bytes: writer.bytes,
    }));
    return writer;
  },
});

/** What one frame is on disk. */
interface Part {
  readonly name: string;
  readonly encode: () => Uint8Array | Promise<Uint8Array>;
}

class Writer implements Sink {
  files = 0;
  bytes = 0;
  newest: string | undefined;
  readonly #options: Options;
  readonly #context: ComponentContext;
  #index: { directory: string; handle: FileHandle } | undefined;

  constructor(options: Options, context: ComponentContext) {
    this.#options = options;
    this.#context = context;
  }

  async write(frame: Frame): Promise<void> {
    const directory = this.#directory(frame);
    try {
      await this.#enter(directory);
      const parts = await partsOf(frame, this.#options);
      for (const part of parts) await this.#put(join(directory, part.name), await part.encode());
      const names = parts.map((part) => part.name).join(' ');
      const line = `${frame.seq},${frame.pts},${frame.capturedAt},${names}\n`;
      await this.#index?.handle.appendFile(line);
    } catch (error) {
      throw error instanceof DepthlineError
        ? error
        : new DepthlineError('SINK', writeProblem(directory, error), { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#index?.handle.close();
    this.#index = undefined;
  }

  #directory(frame: Frame): string {
    const { directory } = this.#options;
    const at = new Date(Number(frame.capturedAt / 1_000_000n));
    const path = resolve(this.#context.baseDirectory, strftime(directory, at));
    const root = resolve(this.#context.baseDirectory, staticPart(directory));
    if (relative(root, path).startsWith('..')) {
      throw new DepthlineError(
        'SINK',
        `the directory template "${directory}" leads out of ${root}; remove ".."`,
      );
    }
    return path;
  }

  /** Makes the directory ready when it is a new one, with its index open. */
  async #enter(directory: string): Promise<void> {
    if (this.#index?.directory === directory) return;
    await this.close();
    await mkdir(directory, { recursive: true });
    const path = join(directory, 'index.csv');
    const begun = await stat(path).then(
      (found) => found.size > 0,
      () => false,
    );
    if (begun && this.#options.existing === 'fail') {
      throw new DepthlineError(
        'SINK',
        `${directory} holds frames already; choose another directory, or existing: append`,
      );
    }
    const handle = await open(path, 'a');
    this.#index = { directory, handle };
    this.newest = directory;
    if (!begun) await handle.appendFile(indexHeader);
  }

  async #put(path: string, data: Uint8Array): Promise<void> {
    const unfinished = `${path}.part`;
    try {
      await writeFile(unfinished, data).catch(async (error: unknown) => {
        if ((error as { code?: string }).code !== 'ENOENT') throw error;
        await mkdir(dirname(path), { recursive: true });
        await writeFile(unfinished, data);
      });
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    this.files++;
    this.bytes += data.length;
  }
}

async function partsOf(frame: Frame, options: Options): Promise<Part[]> {
  const number = `${options.prefix}${String(frame.seq).padStart(6, '0')}`;
  if (options.layout === 'flat') return [await flatPart(frame, number, options)];
  const { image, depth } = rgbdOf(frame);
  const { encodeDepthPng, encodePng, encodeJpeg } = await import('../imaging/encode.ts');
  const ending = options.format === 'png' ? 'png' : 'jpg';
  return [
    {
      name: `rgb/${number}.${ending}`,
      encode: () => (ending === 'png' ? encodePng(image) : encodeJpeg(image, options.quality)),
    },
    { name: `depth/${number}.png`, encode: () => encodeDepthPng(depth) },
  ];
}

function rgbdOf(frame: Frame): { image: ImageFrame; depth: DepthMap } {
  if (frame.kind === 'image' && frame.truth) return { image: frame, depth: frame.truth };
  if (frame.kind === 'depth' && frame.image) return { image: frame.image, depth: frame };
  throw new DepthlineError(
    'SINK',
    `layout rgbd needs a picture and its depth, but the ${frame.kind} frame ${frame.seq} has one of them only`,
  );
}

async function flatPart(frame: Frame, number: string, { format, quality }: Options): Promise<Part> {
  const { encodeDepthPng, encodePng, encodeJpeg } = await import('../imaging/encode.ts');
  if (format === 'npy' && frame.kind === 'depth') {
    return {
      name: `${number}.npy`,
      encode: () => encodeNpy(frame.data, [frame.height, frame.width]),
    };
  }
  if (format === 'npy' && frame.kind === 'points') {
    return { name: `${number}.npy`, encode: () => encodeNpy(frame.data, [frame.count, 3]) };
  }
  if (format === 'npy' && frame.kind === 'image') {
    const channels = frame.format === 'rgba' ? 4 : 3;
    return {
      name: `${number}.npy`,
      encode: () => encodeNpy(frame.data, [frame.height, frame.width, channels]),
    };
  }
  if (format === 'png16' && frame.kind === 'depth') {
    return { name: `${number}.png`, encode: () => encodeDepthPng(frame) };
  }
  if (format === 'png' && frame.kind === 'image') {
    return { name: `${number}.png`, encode: () => encodePng(frame) };
  }
  if (format === 'jpeg' && frame.kind === 'image') {
    return { name: `${number}.jpg`, encode: () => encodeJpeg(frame, quality) };
  }
  if (format === 'json' && frame.kind === 'data') {
    return {
      name: `${number}.json`,
      encode: () => new TextEncoder().encode(`${JSON.stringify(frame.value)}\n`),
    };
  }
  throw new DepthlineError(
    'SINK',
    `format ${format} cannot hold ${frame.kind} frames; ${advice(frame.kind)}`,
  );
}

function advice(kind: Frame['kind']): string {
  const fitting = { depth: 'png16 or npy', image: 'png, jpeg or npy', points: 'npy', data: 'json' };
  return `use ${fitting[kind]}`;
}

/** The part of a directory template before its first strftime field. */
function staticPart(template: string): string {
  const field = template.indexOf('%');
  return field < 0 ? template : dirname(`${template.slice(0, field)}x`);
}

async function writable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (error) {
    throw new DepthlineError('SINK', writeProblem(directory, error), { cause: error });
  }
}

function writeProblem(directory: string, error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'ENOSPC')
    return `the disk of ${directory} is full; free space or choose another directory`;
  if (code === 'EACCES' || code === 'EPERM')
    return `no permission to write in ${directory}; choose another directory`;
  if (code === 'EROFS')
    return `${directory} is on a read-only file system; choose another directory`;
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${directory} is not a directory`;
  return `cannot write in ${directory}: ${reason(error)}`;
}
