import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { minBelowMax } from '../core/interval.ts';
import { colorOptions } from '../depth/color-options.ts';
import { FrameToPicture } from '../depth/frame-to-picture.ts';
import { writeProblem } from '../files/write-problem.ts';
import { quote } from '../gstreamer/launch-line.ts';
import { type Container, codecs, type Encoder, encodersFor } from '../gstreamer/output/encoders.ts';
import { OutputProcess } from '../gstreamer/output/output-process.ts';

const options = minBelowMax(
  z
    .strictObject({
      path: z
        .string()
        .regex(/\.(mkv|mp4)$/, { error: 'must end in .mkv or .mp4' })
        .describe('the file; .mkv can be played even if the recording is cut off, .mp4 cannot'),
      codec: z
        .enum(codecs)
        .default('auto')
        .describe('auto: h264 if there is an encoder, else vp8 or mjpeg; .mp4 holds h264 only'),
      quality: z.int().min(1).max(100).default(80).describe('1 to 100; unless bitrate is given'),
      bitrate: z
        .int()
        .min(16)
        .max(500_000)
        .optional()
        .describe('kbit/s, in place of quality (h264 and vp8)'),
      fps: z
        .number()
        .min(0.1)
        .max(1000)
        .optional()
        .describe('plays the frames at this rate; default: at the times they were captured'),
      ...colorOptions,
    })
    .refine(({ path, codec }) => path.endsWith('.mkv') || codec === 'auto' || codec === 'h264', {
      path: ['codec'],
      error: '.mp4 holds h264 only; write to a .mkv file for vp8 and mjpeg',
    })
    .refine(({ codec, bitrate }) => codec !== 'mjpeg' || bitrate === undefined, {
      path: ['bitrate'],
      error: 'mjpeg has no bitrate; use quality',
    }),
);

type Options = z.output<typeof options>;

/** The muxer gets this long to complete the file, milliseconds. It takes a few as a rule. */
const finishWithinMs = 4000;

/**
 * Encodes pictures to a video file in a process of its own. The recording goes to
 * `NAME.recording.mkv` and gets its name, replacing an earlier file, when it is complete: at the
 * end of the run, at Ctrl-C, and also when this process is killed. After a crash of the encoder
 * it stays under the first name.
 */
export const video = defineSink({
  name: 'video',
  summary: 'Records pictures, or depth in colours, to a Matroska or MP4 file.',
  accepts: ['image', 'depth'],
  options,
  examples: [
    { path: 'out/depth.mkv' },
    { path: 'out/depth.mp4', codec: 'h264', bitrate: 4000 },
    { path: 'out/slow.mkv', codec: 'mjpeg', quality: 90, fps: 10 },
  ],
  async create(options, context) {
    const path = resolve(context.baseDirectory, options.path);
    await prepare(path);
    const container = extname(path).slice(1) as Container;
    const encoders = encodersFor(options.codec, container);
    const unfinished = `${path.slice(0, -4)}.recording.${container}`;
    const output = new OutputProcess({
      what: `video "${options.path}"`,
      candidates: encoders.map(({ element, line }) => ({
        name: element,
        // A size that every encoder takes; only parsed.
        trial: `${line({ ...options, bitrate: options.bitrate, width: 640, height: 480 })} ! ${muxers[container]} ! fakesink`,
      })),
      afterCrash:
        container === 'mkv'
          ? `what was recorded is in ${unfinished} and can be played`
          : `what was recorded is in ${unfinished} but cannot be played; record to .mkv if that matters`,
      explain: (failure) =>
        /No space left|no space/i.test(`${failure.message} ${failure.debug ?? ''}`)
          ? new DepthlineError('SINK', writeProblem(path, { code: 'ENOSPC' }))
          : undefined,
    });
    context.defer(() => output.stop());
    const chosen = await output.opened;
    const encoder = encoders.find(({ element }) => element === chosen.name) as Encoder;
    const recorder = new Recorder(options, { path, unfinished, container, encoder, output });
    context.defer(() => recorder.close());
    context.summary(() => ({ path, frames: recorder.frames, encoder: encoder.element }));
    return recorder;
  },
});

const muxers: Readonly<Record<Container, string>> = { mkv: 'matroskamux', mp4: 'mp4mux' };

interface Parts {
  readonly path: string;
  readonly unfinished: string;
  readonly container: Container;
  readonly encoder: Encoder;
  readonly output: OutputProcess;
}

class Recorder implements Sink {
  frames = 0;
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #pictures: FrameToPicture;
  #size: string | undefined;
  #firstPts = 0n;

  constructor(options: Options, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#pictures = new FrameToPicture(options);
  }

  async write(frame: Frame): Promise<void> {
    const { format, width, height, data } = this.#pictures.convert(frame);
    const size = `${width}×${height} ${format}`;
    this.#size ??= this.#play(size, format, width, height, frame.pts);
    if (size !== this.#size) {
      throw new DepthlineError(
        'SINK',
        `a video has one size: it began with ${this.#size}, frame ${frame.seq} is ${size}; put a resize before it`,
      );
    }
    await this.#parts.output.write(this.#time(frame.pts), data);
    this.frames++;
  }

  close(): Promise<void> {
    const { output } = this.#parts;
    return this.#size === undefined ? output.stop() : output.finish(finishWithinMs);
  }

  #time(pts: bigint): bigint {
    const { fps } = this.#options;
    return fps === undefined ? pts - this.#firstPts : BigInt(Math.round((this.frames * 1e9) / fps));
  }

  #play(size: string, format: 'rgb' | 'rgba', width: number, height: number, pts: bigint): string {
    const { quality, bitrate, fps } = this.#options;
    const { path, unfinished, container, encoder, output } = this.#parts;
    this.#firstPts = pts;
    // 4:2:0 needs an even size: an odd one gets a black column or row.
    const pad = `videobox right=${-(width % 2)} bottom=${-(height % 2)} ! `;
    const encode = encoder.line({ quality, bitrate, width, height });
    output.play({
      format: format === 'rgba' ? 'RGBA' : 'RGB',
      width,
      height,
      rate: fps === undefined ? 'measure' : `${Math.round(fps * 1000)}/1000`,
      elements: `${width % 2 || height % 2 ? pad : ''}${encode} ! ${muxers[container]} ! filesink location=${quote(unfinished)} buffer-mode=unbuffered`,
      waiting: 1,
      file: { unfinished, path },
    });
    return size;
  }
}

async function prepare(path: string): Promise<void> {
  const directory = dirname(path);
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (error) {
    throw new DepthlineError('SINK', writeProblem(directory, error), { cause: error });
  }
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new DepthlineError('SINK', `${path} is a directory; give the file another name`);
  }
}
