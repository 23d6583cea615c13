import { dirname, relative } from 'node:path';
import type { Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { DepthlineError } from '../core/errors.ts';
import type { Frame } from '../core/frame.ts';
import { messageFrame } from '../core/message-frame.ts';
import { findRecordings } from '../files/recordings.ts';
import { sinkError } from '../files/write-problem.ts';
import type { MessageEncoder } from '../ros/codec.ts';
import type { FrameMessages } from '../ros/frame-messages.ts';
import { type CameraMount, mountTransforms } from '../ros/transforms.ts';
import { alreadyThere } from './already-there.ts';
import type { ChunkCompressor } from './chunk-compressor.ts';
import type { WriterOptions, WrittenMessage } from './chunked-writer.ts';
import { DropLog } from './drop-log.ts';
import {
  dataSchema,
  type FrameRecord,
  frameSchema,
  ledgerSchema,
  ownTopics,
  type PartName,
  recordOf,
} from './frame-record.ts';
import { RecordingFile } from './recording-file.ts';

export interface RecorderOptions {
  readonly writer: WriterOptions;
  /** It must stay open until the recorder is closed. */
  readonly compressor: ChunkCompressor;
  /** In front of every topic. */
  readonly namespace: string;
  readonly frameId: string;
  readonly mount: CameraMount | undefined;
  readonly existing: 'append' | 'fail';
  /** When a new file begins. */
  readonly rotate: { readonly bytes?: number | undefined; readonly ms?: number | undefined };
  /** Absolute path of a recording whose first frame is `frame`. */
  pathOf(frame: Frame): string;
}

/** A chunk is ended after this time, so that what is lost with the process is short; milliseconds. */
const chunkMs = 1000;
/** Between two states of the ledger, milliseconds. */
const ledgerEveryMs = 1000;

interface Part {
  readonly file: RecordingFile;
  readonly begunMs: number;
  ledgerMs: number;
  /** Stops the end of the open chunk. */
  cancel(): void;
}

/**
 * Records frames to MCAP files. A frame counts as delivered when it is in a chunk; if that chunk can
 * never be written, its frames are taken back and count as failed.
 */
export class McapRecorder implements Sink {
  frames = 0;
  files = 0;
  bytes = 0;
  /** The newest file. */
  path: string | undefined;
  relative = false;
  readonly #options: RecorderOptions;
  readonly #context: ComponentContext;
  readonly #encoder: MessageEncoder;
  readonly #messages: FrameMessages;
  readonly #drops = new DropLog();
  #part: Part | undefined;
  #newestNs = 0n;

  constructor(
    options: RecorderOptions,
    context: ComponentContext,
    encoder: MessageEncoder,
    messages: FrameMessages,
  ) {
    this.#options = options;
    this.#context = context;
    this.#encoder = encoder;
    this.#messages = messages;
  }

  async write(frame: Frame): Promise<void> {
    const topics = new Map<PartName, string>();
    const messages = await this.#encoded(frame, topics);
    const part = await this.#partFor(frame);
    const fresh = !part.file.hasOpenChunk;
    try {
      // Whatever comes before this frame is on the disk or fails first.
      await part.file.flush();
      messages.push(...this.#record(frame, topics), ...this.#ledgerIfDue(part, frame));
      await part.file.add(messages, 1);
    } catch (error) {
      throw await this.#failed(part, error);
    }
    this.frames++;
    this.#newestNs = frame.capturedAt;
    if (frame.kind === 'depth' && frame.unit === 'relative') this.relative = true;
    if (fresh && part.file.hasOpenChunk) this.#endChunkLater(part);
  }

  /**
   * Completes the file.
   *
   * @throws DepthlineError `SINK` if frames could not be written
   */
  async close(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    if (part) await this.#finish(part, true);
  }

  async #encoded(frame: Frame, topics: Map<PartName, string>): Promise<WrittenMessage[]> {
    const messages: WrittenMessage[] = [];
    for (const { topic, part, type, message } of await this.#messages.of(frame)) {
      if (part) topics.set(part, topic);
      messages.push(this.#stamped(topic, frame, this.#encoder.encode(type, message as never)));
    }
    if (frame.kind === 'data') {
      const topic = `${this.#options.namespace}${ownTopics.data}`;
      topics.set('data', topic);
      const value = { value: frame.value ?? null };
      messages.push(this.#stamped(topic, frame, this.#encoder.encodeJson(value, dataSchema)));
    }
    return messages;
  }

  #record(frame: Frame, topics: ReadonlyMap<PartName, string>): [WrittenMessage] {
    const record: FrameRecord = recordOf(
      messageFrame(frame),
      topics,
      this.#drops.before(frame.seq, this.#account()),
    );
    const topic = `${this.#options.namespace}${ownTopics.frame}`;
    return [this.#stamped(topic, frame, this.#encoder.encodeJson(record, frameSchema))];
  }

  #account() {
    const { branches } = this.#context.runStats();
    return branches.find(({ name }) => name === this.#context.name);
  }

  #ledgerIfDue(part: Part, frame: Frame): WrittenMessage[] {
    const now = this.#context.clock.now();
    if (now < part.ledgerMs) return [];
    part.ledgerMs = now + ledgerEveryMs;
    return [this.#ledger(frame.capturedAt, frame.seq)];
  }

  #ledger(capturedAt: bigint, seq: number, extra: object = {}): WrittenMessage {
    const topic = `${this.#options.namespace}${ownTopics.ledger}`;
    const value = { ...this.#context.runStats(), ...extra };
    return this.#stamped(topic, { capturedAt, seq }, this.#encoder.encodeJson(value, ledgerSchema));
  }

  #stamped(
    topic: string,
    { capturedAt, seq }: Pick<Frame, 'capturedAt' | 'seq'>,
    encoded: ReturnType<MessageEncoder['encode']>,
  ): WrittenMessage {
    const times = { logTime: capturedAt, publishTime: this.#context.clock.wall() };
    return { topic, ...encoded, ...times, sequence: seq % 2 ** 32 };
  }

  async #partFor(frame: Frame): Promise<Part> {
    const { rotate } = this.#options;
    if (this.#part) {
      const { file, begunMs } = this.#part;
      const due =
        file.bytes >= (rotate.bytes ?? Number.POSITIVE_INFINITY) ||
        this.#context.clock.now() - begunMs >= (rotate.ms ?? Number.POSITIVE_INFINITY);
      if (!due) return this.#part;
      const full = this.#part;
      this.#part = undefined;
      await this.#finish(full, false);
    }
    this.#part = await this.#begin(frame);
    return this.#part;
  }

  /** Begins a file with a name that is free. */
  async #begin(frame: Frame): Promise<Part> {
    const base = this.#options.pathOf(frame);
    try {
      const file = await this.#create(base);
      this.files++;
      this.path = file.path;
      const now = this.#context.clock.now();
      const part: Part = { file, begunMs: now, ledgerMs: now, cancel: () => {} };
      const { mount, frameId } = this.#options;
      if (mount) {
        const transforms = mountTransforms(mount, frameId, frame.capturedAt);
        const encoded = this.#encoder.encode('tf2_msgs/TFMessage', { transforms });
        await file.add([this.#stamped('/tf_static', frame, encoded)], 0);
      }
      return part;
    } catch (error) {
      throw sinkError(dirname(base), error);
    }
  }

  async #create(base: string): Promise<RecordingFile> {
    const { existing, writer, compressor } = this.#options;
    const { last, cutOff } = await findRecordings(base);
    // `existing` applies to earlier runs only.
    if (this.files === 0) {
      if (cutOff !== undefined) this.#reportCutOff(cutOff);
      if (existing === 'fail' && last > 0) throw alreadyThere(base);
    }
    return RecordingFile.create(base, last + 1, writer, compressor);
  }

  #reportCutOff(path: string): void {
    const name = relative(this.#context.baseDirectory, path);
    this.#context.log.warn(
      `${name} was interrupted in an earlier run; "depthline recover ${name}" makes it whole`,
    );
  }

  /** The error of a write, once what it means for earlier frames is settled. */
  async #failed(part: Part, error: unknown): Promise<DepthlineError> {
    if (isRemoved(error)) {
      part.cancel();
      this.#part = undefined;
      this.#lose(part.file.written + part.file.unwritten);
      await part.file.abandon();
    }
    return sinkError(dirname(part.file.path), error);
  }

  #lose(frames: number): void {
    this.frames -= frames;
    this.#context.undelivered(frames);
  }

  #endChunkLater(part: Part): void {
    part.cancel();
    part.cancel = this.#context.clock.after(chunkMs, () => part.file.endChunk());
  }

  /** @param last whether the run ends with it */
  async #finish(part: Part, last: boolean): Promise<void> {
    const { file } = part;
    part.cancel();
    if (file.written + file.unwritten === 0) return file.abandon();
    try {
      if (last) {
        const dropped = this.#drops.rest(this.#account());
        const rest = dropped.length > 0 ? { dropped } : {};
        await file.add([this.#ledger(this.#newestNs, 0, rest)], 0);
      }
      const facts = new Map([['frames', String(file.written + file.unwritten)]]);
      this.path = await file.finish(facts);
      this.bytes += file.bytes;
    } catch (error) {
      await this.#unfinished(file, error);
    }
  }

  /** A file that could not be completed: what is in it stays, the rest is lost. */
  async #unfinished(file: RecordingFile, error: unknown): Promise<void> {
    const lost = file.unwritten + (isRemoved(error) ? file.written : 0);
    this.#lose(lost);
    await file.abandon();
    const problem = sinkError(dirname(file.path), error);
    if (lost > 0) throw problem;
    const name = relative(this.#context.baseDirectory, file.unfinished);
    this.#context.log.warn(
      `${problem.message}; ${name} has all frames, "depthline recover ${name}" makes it whole`,
    );
  }
}

/** Whether a file was removed: what is written to it is gone when it is closed. */
function isRemoved(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}
