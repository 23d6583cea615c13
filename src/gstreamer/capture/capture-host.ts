/**
 * The process that runs a capture pipeline, separate from the parent because a GStreamer plug-in that
 * crashes, hangs or leaks takes its process along. GStreamer's own threads write the frames to an inherited
 * socket; this one builds the pipeline, watches its bus and stops it. It ends with its parent, when the IPC
 * channel closes.
 */
import { reason } from '../../core/errors.ts';
import {
  type BusMessage,
  type ElementHandle,
  loadGStreamer,
  type PipelineHandle,
} from '../binding.ts';
import { failureOf } from '../bus-failure.ts';
import { die, outliveSignals } from '../host-process.ts';
import { pictureName } from '../launch-line.ts';
import type { FromHost, ToHost } from './capture-protocol.ts';

/** Interval at which the first picture is looked for, milliseconds. */
const lookEveryMs = 2;

let pipeline: PipelineHandle | undefined;
/** Holds a picture as the source gives it, until its size has been sent. */
let picture: ElementHandle | undefined;
let outcomeSent = false;
/** The binding keeps polling only after the pipeline has left the state NULL. */
let polling = false;
const missing: string[] = [];

process.on('message', (message: ToHost) => {
  if (message.type === 'prepare') return prepare(message.launchLine);
  if (message.type === 'start') return start();
  pipeline?.stop();
  die();
});
process.on('disconnect', die);
outliveSignals();

function prepare(launchLine: string) {
  try {
    pipeline = new (loadGStreamer().Pipeline)(launchLine);
    send({ type: 'prepared' });
  } catch (error) {
    close({ type: 'failed', failure: { phase: 'parse', message: explain(error, launchLine) } });
  }
}

function start() {
  if (!pipeline) return;
  pipeline.pollBus(onBus);
  pipeline.pause();
  // What a live pipeline's clock is set to 0 at.
  const since = process.hrtime.bigint();
  pipeline.play();
  send({ type: 'running', since: String(since) });
  picture = pipeline.findChild(pictureName);
  sendSize();
}

/** Sends the size of the source's picture once there is one. */
function sendSize() {
  if (!picture) return;
  const sample = picture['last-sample'] as { caps: Record<string, unknown> } | null | undefined;
  const { width, height } = sample?.caps ?? {};
  if (typeof width !== 'number' || typeof height !== 'number') {
    setTimeout(sendSize, lookEveryMs);
    return;
  }
  picture['enable-last-sample'] = false;
  picture = undefined;
  send({ type: 'source-size', size: { width, height } });
}

function onBus(message: BusMessage) {
  if (typeof message.detail === 'string' && typeof message.name === 'string') {
    missing.push(message.name);
  }
  if (message.type === 'qos') onQos(message);
  if (message.type === 'error') close({ type: 'failed', failure: failureOf(message, missing) });
  if (message.type === 'eos') close({ type: 'ended' });
  if (message.type === 'state-changed' && /^pipeline\d+$/.test(message._src_element_name)) {
    polling = true;
  }
  if (!polling && !outcomeSent) pipeline?.pollBus(onBus);
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

/** The outcome is sent before the stream ends, so that the parent knows why it ended. */
function close(outcome: FromHost) {
  if (outcomeSent) return;
  outcomeSent = true;
  // A short stream may be over before its size was looked for.
  sendSize();
  send(outcome, die);
}

function send(message: FromHost, sent: () => void = () => {}) {
  if (process.connected) process.send?.(message, undefined, {}, sent);
}

/** GStreamer does not say where a syntax error is: it is behind the longest part that parses. */
function explain(error: unknown, line: string): string {
  const message = reason(error);
  if (!message.includes('syntax error')) return message;
  const parts = line.split('!');
  for (let n = parts.length - 1; n > 0; n--) {
    const good = parts.slice(0, n);
    if (parseError(`${good.join('!')} ! fakesink`)?.includes('syntax error')) continue;
    return `syntax error behind "${good.at(-1)?.trim()}"`;
  }
  return `syntax error in "${parts[0]?.trim()}"`;
}

function parseError(text: string): string | undefined {
  try {
    new (loadGStreamer().Pipeline)(text);
    return undefined;
  } catch (error) {
    return reason(error);
  }
}
