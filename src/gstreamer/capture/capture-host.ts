/**
 * The process that runs a capture pipeline, separate from the parent because a GStreamer plug-in
 * that crashes, hangs or leaks takes its process along. It ends with its parent: when the IPC
 * channel or the socket closes.
 */
import { Socket } from 'node:net';
import { reason } from '../../core/errors.ts';
import {
  type AppSinkHandle,
  type BusMessage,
  type ElementHandle,
  loadGStreamer,
  type PipelineHandle,
} from '../binding.ts';
import { failureOf } from '../bus-failure.ts';
import { streamFd } from '../child-process.ts';
import type { Failure } from '../failure.ts';
import { gdpHeaderLength, gdpType, sourceSizePacket } from '../gdp.ts';
import { die, outliveSignals } from '../host-process.ts';
import { pictureName, sinkName } from '../launch-line.ts';
import type { FromHost, StartMessage, ToHost } from './capture-protocol.ts';
import { stampLength } from './frame-reader.ts';

/** How long to wait for the reason of a failure on the bus after the stream stopped. */
const reasonWithinMs = 1000;

let pipeline: PipelineHandle | undefined;
let sink: AppSinkHandle | undefined;
let credits = 0;
let pulling = false;
/** The sink has no more frames. */
let drained = false;
/** The bus has reported the end of the stream; the sink may still hold frames. */
let endSeen = false;
let outcomeSent = false;
let sentCaps: Buffer | undefined;
/** Holds a picture as the source gives it, until its size has been sent. */
let picture: ElementHandle | undefined;
/** How often the first frame may look for it, a millisecond each. */
let sizeLooks = 500;
let reasonTimer: NodeJS.Timeout | undefined;
/** The binding keeps polling only after the pipeline has left the state NULL. */
let polling = false;
const missing: string[] = [];

process.on('message', (message: ToHost) => {
  if (message.type === 'start') return begin(message);
  pipeline?.stop();
  die();
});
process.on('disconnect', die);
outliveSignals();

const stream = new Socket({ fd: streamFd });
stream.on('data', (bytes) => {
  credits += bytes.length;
  pull();
});
stream.on('error', die);
stream.on('close', die);

function begin({ launchLine }: StartMessage) {
  try {
    const { Pipeline } = loadGStreamer();
    pipeline = new Pipeline(launchLine);
  } catch (error) {
    fail({ phase: 'parse', message: reason(error) });
    return;
  }
  sink = pipeline.findChild(sinkName) as AppSinkHandle;
  picture = pipeline.findChild(pictureName);
  pipeline.pollBus(onBus);
  pipeline.play();
  pull();
}

function onBus(message: BusMessage) {
  if (typeof message.detail === 'string' && typeof message.name === 'string') {
    missing.push(message.name);
  }
  if (message.type === 'qos') onQos(message);
  if (message.type === 'error') fail(failureOf(message, missing));
  if (message.type === 'eos') {
    endSeen = true;
    finish();
  }
  if (message.type === 'state-changed' && /^pipeline\d+$/.test(message._src_element_name)) {
    polling = true;
  }
  if (!polling && drained && !outcomeSent) pipeline?.pollBus(onBus);
}

/** Dropped pictures of each decoder. */
const dropped = new Map<string, number>();

/** No decoder here drops late pictures, so a dropped picture is one that it could not decode. */
function onQos(message: BusMessage) {
  const element = message._src_element_name;
  if (message.format !== 'GST_FORMAT_BUFFERS' || !/dec/.test(element)) return;
  dropped.set(element, Number(message.dropped));
  const total = [...dropped.values()].reduce((sum, n) => sum + n, 0);
  if (total > 0) send({ type: 'damaged', total });
}

function pull() {
  // Before the first credit nothing is pulled, so that a pipeline which fails early is noticed
  // by its bus message alone.
  if (pulling || drained || credits === 0 || !sink) return;
  pulling = true;
  const askedAt = process.hrtime.bigint();
  sink.pull((buffer, caps) => onBuffer(buffer, caps, askedAt));
}

function onBuffer(buffer: Buffer | null, caps: Record<string, unknown>, askedAt: bigint) {
  if (buffer && !writeSourceSize() && --sizeLooks > 0) {
    setTimeout(() => onBuffer(buffer, caps, askedAt), 1);
    return;
  }
  pulling = false;
  if (!buffer) return onNull();
  // Caps and events come as packets of their own. They are ignored here because a live appsink may
  // have dropped them; the caps are also in the stream header.
  if (buffer.readUInt16BE(4) === gdpType.buffer) {
    credits--;
    write(buffer, caps, askedAt);
  }
  pull();
}

function write(buffer: Buffer, caps: Record<string, unknown>, askedAt: bigint) {
  const stamps = Buffer.allocUnsafe(stampLength);
  stamps.writeBigUInt64BE(askedAt, 0);
  stamps.writeBigUInt64BE(process.hrtime.bigint(), 8);
  stream.cork();
  const capsPacket = findCaps(caps.streamheader);
  if (capsPacket && !(sentCaps && capsPacket.equals(sentCaps))) {
    sentCaps = capsPacket;
    stream.write(Buffer.alloc(stampLength));
    stream.write(capsPacket);
  }
  stream.write(stamps);
  stream.write(buffer);
  stream.uncork();
}

/** Once, before the first frame. @returns false if the picture has not reached its sink yet */
function writeSourceSize(): boolean {
  const sample = picture?.['last-sample'] as { caps: Record<string, unknown> } | null | undefined;
  const { width, height } = sample?.caps ?? {};
  if (!picture || typeof width !== 'number' || typeof height !== 'number') return !picture;
  picture['enable-last-sample'] = false;
  picture = undefined;
  stream.write(Buffer.alloc(stampLength));
  stream.write(sourceSizePacket({ width, height }));
  return true;
}

function findCaps(streamHeader: unknown): Buffer | undefined {
  if (!Array.isArray(streamHeader)) return undefined;
  return streamHeader.findLast(
    (packet): packet is Buffer =>
      Buffer.isBuffer(packet) &&
      packet.length > gdpHeaderLength &&
      packet.readUInt16BE(4) === gdpType.caps,
  );
}

/** The sink has no more frames: end of stream or failure, as the bus reports. */
function onNull() {
  drained = true;
  if (outcomeSent) return;
  if (endSeen) return finish();
  if (!polling) pipeline?.pollBus(onBus);
  reasonTimer = setTimeout(
    () => fail({ phase: 'run', message: 'the pipeline stopped without a reason' }),
    reasonWithinMs,
  );
}

function finish() {
  if (!drained || !endSeen) return;
  close({ type: 'ended' });
}

function fail(failure: Failure) {
  close({ type: 'failed', failure });
}

/** The outcome is sent before the socket ends, so that the parent knows why it ended. */
function close(outcome: FromHost) {
  if (outcomeSent) return;
  clearTimeout(reasonTimer);
  outcomeSent = true;
  drained = true;
  send(outcome, () => stream.end());
}

function send(message: FromHost, sent: () => void = () => {}) {
  if (process.connected) process.send?.(message, undefined, {}, sent);
}
