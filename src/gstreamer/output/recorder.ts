import { rm, stat } from 'node:fs/promises';
import { dirname, extname, relative } from 'node:path';
import type { Sink } from '../../core/component.ts';
import type { ComponentContext } from '../../core/component-context.ts';
import { DepthlineError } from '../../core/errors.ts';
import type { Frame, Picture } from '../../core/frame.ts';
import { FrameRefused } from '../../core/frame-refused.ts';
import { SinkLost } from '../../core/sink-lost.ts';
import { countMatroskaFrames } from '../../files/matroska-frames.ts';
import { findRecordings, recordingPath, unfinishedPath } from '../../files/recordings.ts';
import { sinkError, writeProblem } from '../../files/write-problem.ts';
import type { Failure } from '../failure.ts';
import { frameRate, frameTime } from '../frame-rate.ts';
import { CrashBudget } from './crash-budget.ts';
import { type Container, type Encoder, encodersFor } from './encoders.ts';
import { ForwardTime } from './forward-time.ts';
import { OutputCrashed, OutputProcess } from './output-process.ts';
import type { OutputFile } from './output-protocol.ts';

/** Makes a picture of a frame. */
export interface FrameView {
  render(frame: Frame): Promise<Picture>;
}

/** What to do with recordings of earlier runs. */
export const existingRecording = ['append', 'fail', 'replace'] as const;
export type ExistingRecording = (typeof existingRecording)[number];

export interface RecorderOptions {
  /** For messages: the path as the user wrote it. */
  readonly what: string;
  readonly container: Container;
  readonly codec: Parameters<typeof encodersFor>[0];
  /** 1 to 100. */
  readonly quality: number;
  /** kbit/s, in place of a quality. */
  readonly bitrate: number | undefined;
  /** Playback rate, frames per second; default: frames keep their capture times. */
  readonly fps: number | undefined;
  readonly existing: ExistingRecording;
  /** Absolute path of a recording whose first frame is `frame`. */
  pathOf(frame: Frame): string;
}

/** Time for the muxer to complete the file, milliseconds. It usually takes a few. */
const finishWithinMs = 11_000;
/** How often to check that the file still exists, milliseconds. */
const checkEveryMs = 1000;
/** Pause after a failure before the next attempt, milliseconds. */
const afterFailureMs = 1000;

const muxers: Readonly<Record<Container, string>> = { mkv: 'matroskamux', mp4: 'mp4mux' };

/** A file that is being recorded. */
interface Part {
  readonly output: OutputProcess;
  readonly file: OutputFile;
  readonly time: ForwardTime;
  frames: number;
  /** When to look next whether the file is still there. */
  nextCheck: number;
}

/**
 * Records pictures to video files. If the process crashes it is restarted with a new file, which has
 * the next number in its name; the interrupted file is kept. Frames that are in no playable file
 * count as failed.
 */
export class Recorder implements Sink {
  frames = 0;
  /** Where the recording is, or will be when it is complete. */
  path: string | undefined;
  readonly #options: RecorderOptions;
  readonly #context: ComponentContext;
  readonly #view: FrameView;
  readonly #encoders: readonly Encoder[];
  readonly #crashes: CrashBudget;
  /** Ready for the next part. */
  #spare: OutputProcess | undefined;
  #encoder: Encoder | undefined;
  #part: Part | undefined;
  #parts = 0;
  #stopped = false;
  #size: string | undefined;
  /** The last failure, and when the next attempt is allowed. */
  #failure: { readonly error: unknown; readonly until: number } | undefined;

  constructor(options: RecorderOptions, context: ComponentContext, view: FrameView) {
    this.#options = options;
    this.#context = context;
    this.#view = view;
    this.#crashes = new CrashBudget(context, 'the encoder process');
    this.#encoders = encodersFor(options.codec, options.container);
  }

  /** Element that encodes, once `open` has found it. */
  get encoder(): string | undefined {
    return this.#encoder?.element;
  }

  /**
   * Starts a process and finds the encoder.
   *
   * @throws DepthlineError `MISSING` or `SINK` if none works
   */
  async open(): Promise<void> {
    this.#spare ??= this.#start();
    const spare = this.#spare;
    try {
      const { name } = await spare.opened;
      this.#encoder = this.#encoders.find(({ element }) => element === name) as Encoder;
    } catch (error) {
      this.#spare = undefined;
      await spare.stop();
      throw error;
    }
  }

  async write(frame: Frame): Promise<void> {
    const picture = await this.#view.render(frame);
    this.#checkSize(frame, picture);
    const { clock } = this.#context;
    if (this.#failure && clock.now() < this.#failure.until) throw this.#failure.error;
    for (;;) {
      try {
        await this.#record(frame, picture);
        return;
      } catch (error) {
        await this.#abandonPart();
        if (isMissing(error)) throw new SinkLost(error.message, { cause: error });
        if (!(error instanceof OutputCrashed)) {
          this.#failure = { error, until: clock.now() + afterFailureMs };
          throw error;
        }
        await this.#crashes.restart(error);
      }
    }
  }

  /**
   * Completes the file.
   *
   * @throws DepthlineError `SINK` if that fails
   */
  async close(): Promise<void> {
    const part = this.#part;
    try {
      if (!part) return;
      this.path = (await part.output.finish(finishWithinMs)) ?? this.path;
      this.#part = undefined;
    } catch (error) {
      await this.#abandonPart();
      throw error;
    } finally {
      await this.stop();
    }
  }

  /** Ends the processes at once; none is started afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#part?.output.stop(), this.#spare?.stop()]);
  }

  #checkSize({ seq }: Frame, { width, height, format }: Picture): void {
    const size = `${width}×${height} ${format}`;
    this.#size ??= size;
    if (size === this.#size) return;
    throw new FrameRefused(
      `a video has one size: it began with ${this.#size}, frame ${seq} is ${size}; put a resize before it`,
    );
  }

  async #record(frame: Frame, picture: Picture): Promise<void> {
    this.#part ??= await this.#begin(frame, picture);
    const part = this.#part;
    await part.output.write(this.#time(part, frame.pts), picture.data);
    await this.#checkPresent(part);
    this.#failure = undefined;
    part.frames++;
    this.frames++;
    this.#crashes.delivered();
  }

  /** A file that was removed still takes what is written, but the data is lost. */
  async #checkPresent(part: Part): Promise<void> {
    const now = this.#context.clock.now();
    // The process creates the file when it knows the frame rate, by the second frame.
    if (part.frames < 2 || now < part.nextCheck) return;
    part.nextCheck = now + checkEveryMs;
    const { unfinished } = part.file;
    try {
      await stat(unfinished);
    } catch (error) {
      throw sinkError(dirname(unfinished), error);
    }
  }

  #time({ time, frames }: Part, pts: bigint): bigint {
    const { fps } = this.#options;
    return fps === undefined ? time.next(pts) : frameTime(frames, fps);
  }

  /** Begins a file with a name that is free. */
  async #begin(frame: Frame, { format, width, height }: Picture): Promise<Part> {
    await this.open();
    const { quality, bitrate, fps, container } = this.#options;
    const base = this.#options.pathOf(frame);
    const file = await this.#file(base);
    const output = this.#spare as OutputProcess;
    this.#spare = undefined;
    if (this.#stopped) {
      await output.stop();
      throw new SinkLost('the run has ended');
    }
    // 4:2:0 needs an even size: an odd one gets a black column or row.
    const odd = width % 2 || height % 2;
    const pad = odd ? `videobox right=${-(width % 2)} bottom=${-(height % 2)} ! ` : '';
    const encode = (this.#encoder as Encoder).line({ quality, bitrate, width, height });
    output.play({
      format: format === 'rgba' ? 'RGBA' : 'RGB',
      width,
      height,
      rate: fps === undefined ? 'measure' : frameRate(fps),
      elements: `${pad}${encode} ! ${muxers[container]}`,
      waiting: 1,
      file,
    });
    this.#parts++;
    this.path = file.path;
    return { output, file, time: new ForwardTime(), frames: 0, nextCheck: 0 };
  }

  async #file(base: string): Promise<OutputFile> {
    try {
      const { last, cutOff } = await findRecordings(base);
      // `existing` applies to earlier runs only.
      const earlier = this.#parts === 0;
      if (earlier && cutOff !== undefined) this.#reportCutOff(cutOff);
      const existing = earlier ? this.#options.existing : 'append';
      if (existing === 'fail' && last > 0) throw alreadyThere(base);
      const number = last + 1;
      const replace = existing === 'replace';
      const path = replace ? base : recordingPath(base, number);
      return { unfinished: unfinishedPath(base, number), path, base, replace };
    } catch (error) {
      throw sinkError(dirname(base), error);
    }
  }

  #reportCutOff(path: string): void {
    const { baseDirectory, log } = this.#context;
    log.warn(`${relative(baseDirectory, path)} was interrupted in an earlier run; it is kept`);
  }

  /** Ends a part that failed; the frames that cannot be played count as failed. */
  async #abandonPart(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    if (!part) return;
    await part.output.stop();
    const { unfinished } = part.file;
    const playable =
      extname(unfinished) === '.mkv' ? await countMatroskaFrames(unfinished).catch(() => 0) : 0;
    const lost = Math.max(0, part.frames - playable);
    this.#context.undelivered(lost);
    this.frames -= lost;
    const info = await stat(unfinished).catch(() => undefined);
    if (!info) return;
    if (info.size === 0 || (playable === 0 && extname(unfinished) === '.mkv')) {
      await rm(unfinished, { force: true }).catch(() => {});
      return;
    }
    const name = relative(this.#context.baseDirectory, unfinished);
    const kept = part.frames - lost;
    this.#context.log.warn(
      `${name} was interrupted; ${kept} of its ${part.frames} frames can be played`,
    );
  }

  #start(): OutputProcess {
    if (this.#stopped) throw new SinkLost('the run has ended');
    const { what, container } = this.#options;
    return new OutputProcess({
      what: `video "${what}"`,
      candidates: this.#encoders.map(({ element, line }) => ({
        name: element,
        // A size that every encoder takes; only parsed.
        trial: `${line({ quality: 50, bitrate: undefined, width: 640, height: 480 })} ! ${muxers[container]} ! fakesink`,
      })),
      afterCrash:
        container === 'mkv'
          ? 'what was recorded can be played'
          : 'what was recorded cannot be played; record to .mkv if that matters',
      explain: (failure) => this.#explain(failure),
    });
  }

  #explain(failure: Failure): Error | undefined {
    const said = `${failure.message} ${failure.debug ?? ''}`;
    const code = /No space left|no space|ENOSPC/i.test(said)
      ? 'ENOSPC'
      : /\b(E[A-Z]{3,})\b: /.exec(failure.message)?.[1];
    if (code === undefined) return undefined;
    return new DepthlineError('SINK', writeProblem(dirname(this.path ?? '.'), { code }));
  }
}

/** What this machine lacks does not come back by trying again. */
function isMissing(error: unknown): error is DepthlineError {
  return error instanceof DepthlineError && error.code === 'MISSING';
}

/** For `existing: fail`. */
export function alreadyThere(path: string): DepthlineError {
  return new DepthlineError(
    'SINK',
    `${path} or another recording of this name exists; choose another path, put the time into it (%Y%m%d-%H%M%S), or set "existing: append" or "existing: replace"`,
  );
}
