import { relative } from 'node:path';
import { Observable } from 'rxjs';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Frame, ImageFrame, MessageKind } from '../core/frame.ts';
import { Pacer } from '../core/pacer.ts';
import type { Drop } from '../core/run-stats.ts';
import { wholeView } from '../depth/view.ts';
import { RecordedTimeline } from '../files/recorded-rows.ts';
import { loadDecompressors } from './compression.ts';
import { Decoders } from './decoders.ts';
import { McapFile } from './mcap-file.ts';
import { playOwn } from './own-player.ts';
import type { FrameContents, Played, PlayedFrame, PlayOptions } from './played-frame.ts';
import { chooseTopic, infoTopicOf, ownTopic, topicsOf } from './topic-choice.ts';
import { playTopic } from './topic-player.ts';

export interface PlaybackOptions {
  /** Absolute paths, in their order. */
  readonly paths: readonly string[];
  readonly as: MessageKind;
  readonly topic: string | undefined;
  /** Since the start of the first file, milliseconds. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly loop: boolean;
  /** Times the speed of the recording; nothing: as fast as the pipeline accepts frames. */
  readonly speed: number | undefined;
  readonly onError: 'fail' | 'skip';
  /** Waits until the next frame is asked for; false: none will be. */
  step?(signal: AbortSignal): Promise<boolean>;
}

/** Between the last frame of a turn and the first one of the next, nanoseconds. */
const turnStep = 33_333_333n;

/** A file that is played. */
export interface Track {
  readonly path: string;
  /** Opens it: its frames, and whether it has its end. */
  start(): Promise<{
    readonly frames: AsyncGenerator<Played, boolean>;
    close(): Promise<void>;
  }>;
}

/** Plays recordings: frame by frame, each when it is due and the pipeline has room for it. */
export class Playback {
  readonly #options: PlaybackOptions;
  readonly #context: ComponentContext;
  readonly #tracks: readonly Track[];
  readonly #pacer: Pacer;
  readonly #timeline = new RecordedTimeline(turnStep);
  #lastPts: bigint | undefined;
  #readable = 0;
  #unreadable = 0;
  #lastProblem: string | undefined;

  private constructor(
    options: PlaybackOptions,
    context: ComponentContext,
    tracks: readonly Track[],
  ) {
    this.#options = options;
    this.#context = context;
    this.#tracks = tracks;
    this.#pacer = new Pacer(context.clock, undefined);
  }

  /** @throws DepthlineError `SOURCE` if a file cannot be read or holds no such frames */
  static async open(options: PlaybackOptions, context: ComponentContext): Promise<Playback> {
    const decompress = await loadDecompressors();
    const tracks: Track[] = [];
    let origin: bigint | undefined;
    for (const path of options.paths) {
      const open = () => McapFile.open(path, decompress);
      const file = await open();
      try {
        // Times count from the start of the first file.
        origin ??= await file.begin();
        const play = await playerOf(file, { ...options, origin }, context);
        const start = async () => {
          const opened = await open();
          return { frames: play(opened), close: () => opened.close() };
        };
        tracks.push({ path, start });
      } finally {
        await file.close();
      }
    }
    return new Playback(options, context, tracks);
  }

  /** Plays files of any kind. */
  static of(
    options: Omit<PlaybackOptions, 'paths' | 'topic'>,
    context: ComponentContext,
    tracks: readonly Track[],
  ): Playback {
    return new Playback({ ...options, paths: [], topic: undefined }, context, tracks);
  }

  /** Plays while somebody subscribes and the run goes on. */
  frames(): Observable<Frame> {
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, this.#context.signal]);
      this.#run((frame) => subscriber.next(frame), signal).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  }

  /** Emits the frames; resolves after the last one, or when the signal aborts. */
  async #run(emit: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
    for (let turn = 0; turn === 0 || this.#options.loop; turn++) {
      for (const track of this.#tracks) {
        if (signal.aborted) return;
        if (!(await this.#track(track, turn, emit, signal))) return;
      }
      if (this.#readable === 0) throw this.#nothing();
    }
  }

  /** @returns whether to go on with the next file */
  async #track(
    track: Track,
    turn: number,
    emit: (frame: Frame) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { frames, close } = await track.start();
    try {
      // One frame is read ahead, while the one before it is in the pipeline.
      let next = this.#ahead(frames);
      for (;;) {
        const { played, complete, contents } = await next;
        if (!played) {
          if (complete === false && turn === 0) this.#reportCutOff(track.path);
          return true;
        }
        if ('rest' in played) {
          this.#drop(played.rest);
          next = this.#ahead(frames);
          continue;
        }
        if (!(await this.#due(played, signal))) return false;
        next = this.#ahead(frames);
        // It is awaited in the next turn, or not at all.
        next.catch(() => {});
        this.#drop(played.dropped);
        await this.#emit(played, contents, emit, track.path);
      }
    } finally {
      await frames.return(false).catch(() => {});
      await close();
    }
  }

  async #ahead(frames: AsyncGenerator<Played, boolean>) {
    const { value, done } = await frames.next();
    if (done) return { complete: value };
    const contents = 'rest' in value ? undefined : settled(value.contents());
    return { played: value, contents };
  }

  /** Waits until a frame is due and the pipeline has room; false if the run ends first. */
  async #due(played: PlayedFrame, signal: AbortSignal): Promise<boolean> {
    const { gate } = this.#context;
    const { speed, step } = this.#options;
    await gate.opened(signal);
    if (speed !== undefined) {
      const before = this.#lastPts;
      this.#lastPts = played.pts;
      const ms = before === undefined ? 0 : Math.max(0, Number(played.pts - before) / 1e6) / speed;
      await this.#pacer.wait(signal, before === undefined ? Number.MIN_VALUE : ms);
      await gate.opened(signal);
    }
    if (step && !signal.aborted && !(await step(signal))) return false;
    return !signal.aborted;
  }

  async #emit(
    { seq, pts }: PlayedFrame,
    contents: Promise<FrameContents | { readonly problem: unknown }> | undefined,
    emit: (frame: Frame) => void,
    path: string,
  ): Promise<void> {
    const read = await contents;
    const time = this.#timeline.next({ seq, pts });
    if (!read || 'problem' in read) {
      this.#skip(read?.problem, path);
      return;
    }
    this.#readable++;
    const { clock, name: source } = this.#context;
    emit(frameOf(read, { ...time, capturedAt: clock.wall(), source }));
  }

  #skip(problem: unknown, path: string): void {
    if (problem instanceof DepthlineError) throw problem;
    const name = relative(this.#context.baseDirectory, path);
    const message = `a frame of "${name}" cannot be read: ${reason(problem)}`;
    if (this.#options.onError === 'fail') {
      const advice = 'set "on-error: skip" to leave such frames out';
      throw new DepthlineError('SOURCE', `${message}; ${advice}`, { cause: problem });
    }
    this.#context.dropped(1, 'unreadable');
    this.#lastProblem = message;
    // The 1st, 10th, 100th …: a file may have thousands of them.
    if (/^10*$/.test(String(++this.#unreadable))) this.#context.log.warn(`skipped ${message}`);
  }

  #drop(drops: readonly Drop[]): void {
    for (const { count, reason } of drops) this.#context.dropped(count, reason);
  }

  #reportCutOff(path: string): void {
    const name = relative(this.#context.baseDirectory, path);
    this.#context.log.warn(
      `"${name}" is cut off: it was read to its last whole chunk; "depthline recover ${name}" makes it whole`,
    );
  }

  #nothing(): DepthlineError {
    const why = this.#lastProblem === undefined ? '' : `: ${this.#lastProblem}`;
    return new DepthlineError('SOURCE', `the recording has no frame in that time${why}`);
  }
}

/** Errors are kept until the frame is due. */
function settled(
  contents: Promise<FrameContents>,
): Promise<FrameContents | { readonly problem: unknown }> {
  return contents.catch((problem: unknown) => ({ problem }));
}

type Identity = Pick<Frame, 'seq' | 'pts' | 'capturedAt' | 'source'>;

function frameOf(contents: FrameContents, identity: Identity): Frame {
  const seen = { ...('width' in contents && { view: wholeView(contents) }), ...contents };
  if (seen.kind !== 'depth') return { ...seen, ...identity } as Frame;
  const { image, picture, ...depth } = seen;
  const nested = (one: typeof image) => one && ({ ...one, ...identity } as ImageFrame);
  return {
    ...depth,
    ...identity,
    ...(image && { image: nested(image) }),
    ...(picture && { picture: nested(picture) }),
  } as Frame;
}

/** How the frames of a file are read: its own records, or one topic. */
async function playerOf(
  file: McapFile,
  { as, topic, fromMs, toMs, origin }: PlaybackOptions & { readonly origin: bigint | undefined },
  context: ComponentContext,
): Promise<(file: McapFile) => AsyncGenerator<Played, boolean>> {
  const decoders = new Decoders();
  const topics = await topicsOf(file, decoders);
  const play: PlayOptions = { as, origin, from: nanoseconds(fromMs), to: nanoseconds(toMs) };
  const own = topic === undefined ? ownTopic(topics) : undefined;
  if (own !== undefined) return (opened) => playOwn(opened, new Decoders(), own, play);
  const name = relative(context.baseDirectory, file.path);
  const choice = chooseTopic(topics, as, topic, name);
  if (choice.message !== undefined) context.log.info(`"${name}": ${choice.message}`);
  const options = {
    ...play,
    topic: choice.topic,
    infoTopic: infoTopicOf(topics, choice.topic),
    onDistorted: () =>
      context.log.warn(
        `"${name}": the lens of this camera bends its pictures; its intrinsics are used as if it did not`,
      ),
  };
  return (opened) => playTopic(opened, new Decoders(), options);
}

function nanoseconds(ms: number | undefined): bigint | undefined {
  return ms === undefined ? undefined : BigInt(Math.round(ms * 1e6));
}
