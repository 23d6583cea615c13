/**
 * The process that encodes or displays pictures. It is separate because a GStreamer plug-in that
 * crashes or hangs takes its process down. When the picture socket closes, even because the parent
 * was killed, the process completes its file and exits.
 */
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { reason } from '../../core/errors.ts';
import { publishRecording } from '../../files/recordings.ts';
import {
  type AppSrcHandle,
  type BusMessage,
  loadGStreamer,
  type PipelineHandle,
} from '../binding.ts';
import { failureOf } from '../bus-failure.ts';
import { streamFd } from '../child-process.ts';
import type { Failure } from '../failure.ts';
import { die, outliveSignals } from '../host-process.ts';
import { nominalRate, padRows } from './output-layout.ts';
import {
  type Candidate,
  type FromOutput,
  type PlayMessage,
  ptsLength,
  ready,
  type ToOutput,
} from './output-protocol.ts';

const inputName = 'depthline-input';
/** appsrc has no event for an accepted buffer; its level is polled this often, milliseconds. */
const lookEveryMs = 1;
/** A display that does not respond in time counts as missing, milliseconds. */
const openWithinMs = 3000;
/** A pipeline that has not reached its end of stream by then never will, milliseconds. */
const finishWithinMs = 10_000;

let play: PlayMessage;
let pipeline: PipelineHandle | undefined;
let input: AppSrcHandle | undefined;
let socket: Socket;
let over = false;
let finishing = false;

process.on('message', (message: ToOutput) => {
  if (message.type === 'open') void open(message.candidates);
  if (message.type === 'play') begin(message);
  if (message.type === 'stop') die();
});
process.on('disconnect', () => {
  // Without a picture socket there is no file to complete.
  if (!socket) die();
});
outliveSignals();

function send(message: FromOutput, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, then);
  else then();
}

function end(message: FromOutput): void {
  if (over) return;
  over = true;
  send(message, die);
}

function fail(failure: Failure): void {
  end({ type: 'failed', failure });
}

async function open(candidates: readonly Candidate[]): Promise<void> {
  let first: Failure | undefined;
  for (const [index, candidate] of candidates.entries()) {
    const failure = await tryOut(candidate);
    if (!failure) {
      send({ type: 'opened', candidate: index });
      return;
    }
    first ??= failure;
  }
  fail(first ?? { phase: 'parse', message: 'no candidate to try' });
}

async function tryOut({ trial, opens }: Candidate): Promise<Failure | undefined> {
  try {
    const { Pipeline } = loadGStreamer();
    const line = opens ? `${trial} name=depthline-trial` : trial;
    const attempt = new Pipeline(line);
    return opens ? await reachesReady(attempt) : undefined;
  } catch (error) {
    return { phase: 'parse', message: reason(error) };
  }
}

function reachesReady(attempt: PipelineHandle): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ phase: 'run', message: `could not open within ${openWithinMs} ms` });
    }, openWithinMs);
    const onMessage = (message: BusMessage) => {
      const opened =
        message.type === 'state-changed' && message._src_element_name === 'depthline-trial';
      if (!opened && message.type !== 'error') {
        // The binding stops polling in the state NULL, where a pipeline stays that cannot open.
        attempt.pollBus(onMessage);
        return;
      }
      clearTimeout(timer);
      attempt.stop();
      resolve(opened ? undefined : failureOf(message));
    };
    attempt.pollBus(onMessage);
    attempt.pause();
  });
}

function begin(message: PlayMessage): void {
  play = message;
  const reader = new PictureReader(play.width * play.height * (play.format === 'RGBA' ? 4 : 3));
  const onread = {
    buffer: () => reader.target(),
    callback(n: number) {
      if (reader.received(n)) take(reader);
      return true;
    },
  };
  const options = { fd: streamFd, onread };
  socket = new Socket(options);
  // If the parent is killed with unread replies, the connection is reset instead of closed.
  socket.on('error', finish);
  socket.on('end', finish);
  socket.resume();
}

/** Reuses one buffer, because appsrc copies its input. */
class PictureReader {
  readonly pts = Buffer.alloc(ptsLength);
  picture: Buffer;
  #filled = 0;
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
    this.picture = Buffer.allocUnsafeSlow(length);
  }

  target(): Uint8Array {
    return this.#filled < ptsLength
      ? this.pts.subarray(this.#filled)
      : this.picture.subarray(this.#filled - ptsLength);
  }

  /** True when a picture is complete; it is valid until the next bytes arrive. */
  received(n: number): boolean {
    this.#filled += n;
    if (this.#filled < ptsLength + this.#length) return false;
    this.#filled = 0;
    return true;
  }

  /** Hands the picture's buffer over to the caller. */
  giveAway(): Buffer {
    const { picture } = this;
    this.picture = Buffer.allocUnsafeSlow(this.#length);
    return picture;
  }
}

/** The first picture, held until the second one gives the frame rate. */
let held: { pts: Buffer; picture: Buffer } | undefined;

function take(reader: PictureReader): void {
  if (!pipeline && play.rate === 'measure' && !held) {
    held = { pts: Buffer.from(reader.pts), picture: reader.giveAway() };
    acknowledge();
    return;
  }
  if (!pipeline) start(rateOf(reader.pts));
  push(reader.pts, reader.picture);
  const length = reader.picture.length * play.waiting;
  whenLevelIs(length, acknowledge);
}

function rateOf(second: Buffer): string {
  if (!held) return play.rate;
  return nominalRate(second.readBigUInt64BE() - held.pts.readBigUInt64BE());
}

function acknowledge(): void {
  if (!over && socket.writable) socket.write(ready);
}

function start(rate: string): void {
  const { format, width, height, elements } = play;
  const caps = `video/x-raw,format=${format},width=${width},height=${height},framerate=${rate}`;
  // No byte limit: above it appsrc drops buffers silently.
  const source = `appsrc name=${inputName} format=time max-bytes=0 caps="${caps}"`;
  try {
    const sink = play.file ? ` ! fdsink fd=${openFile(play.file.unfinished)}` : '';
    pipeline = new (loadGStreamer().Pipeline)(`${source} ! ${elements}${sink}`);
  } catch (error) {
    fail({ phase: 'parse', message: reason(error) });
    return;
  }
  input = pipeline.findChild(inputName) as AppSrcHandle;
  pipeline.pollBus(onBus);
  pipeline.play();
  if (held) push(held.pts, held.picture);
  held = undefined;
}

/** filesink would follow links and truncate an existing file. */
function openFile(path: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
}

function push(pts: Buffer, picture: Buffer): void {
  const stride = play.format === 'RGBA' ? play.width * 4 : play.width * 3;
  input?.push(padRows(picture, stride, play.height), pts);
}

function whenLevelIs(atMost: number, then: () => void): void {
  if (over) return;
  const level = Number(input?.['current-level-bytes'] ?? 0);
  if (level <= atMost) then();
  else setTimeout(() => whenLevelIs(atMost, then), lookEveryMs);
}

function onBus(message: BusMessage): void {
  if (message.type === 'error') fail(failureOf(message));
  if (message.type === 'eos') void complete();
}

/** End of input: flushes the encoder and completes the file. */
function finish(): void {
  if (over || finishing) return;
  finishing = true;
  if (held) start('30/1');
  if (!pipeline || !play.file) {
    end({ type: 'finished' });
    return;
  }
  setTimeout(() => {
    fail({ phase: 'run', message: `the file was not complete after ${finishWithinMs} ms` });
  }, finishWithinMs);
  whenLevelIs(0, () => pipeline?.sendEOS());
}

async function complete(): Promise<void> {
  if (over) return;
  pipeline?.stop();
  try {
    const path = play.file && (await publishRecording(play.file));
    end({ type: 'finished', ...(path !== undefined && { path }) });
  } catch (error) {
    fail({ phase: 'run', message: reason(error) });
  }
}
