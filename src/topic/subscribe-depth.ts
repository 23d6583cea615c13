import type { Subscriber } from 'zeromq';
import { DepthlineError, reason } from '../core/errors.ts';
import type { DataFrame, DepthFrame, Frame, ImageFrame, PointsFrame } from '../core/frame.ts';
import type { MessageHeader, Unpacked } from './header.ts';
import { CorruptMessage } from './header-check.ts';
import { decodeFrame, unpackMessage } from './message.ts';

/** A frame from a topic, with the header it came with. */
export type ReceivedFrame = (DepthFrame | ImageFrame | PointsFrame | DataFrame) & {
  readonly header: MessageHeader;
};

export interface SubscribeOptions {
  /** Exact topic; default `depth`. */
  readonly topic?: string;
  /** Always the newest frame: what came before it while the reader was busy is skipped. */
  readonly latest?: boolean;
  /** Messages kept while the reader is busy (not with `latest`); default 100. */
  readonly highWaterMark?: number;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** CURVE keys, Z85: the publisher's public key, and this end's pair. */
  readonly curve?: {
    readonly serverKey: string;
    readonly publicKey: string;
    readonly secretKey: string;
  };
  /** Told of each message that is not what it says; it is skipped. Default: ignored. */
  readonly onCorrupt?: (error: CorruptMessage) => void;
  /** `connect` to a publisher (default), or `bind` where publishers connect. */
  readonly mode?: 'connect' | 'bind';
}

/**
 * Frames of a Depthline topic, in either framing, as they come: docs/depth-topic.md.
 *
 * ```ts
 * for await (const frame of subscribeDepth('tcp://127.0.0.1:5556', { latest: true })) {
 *   console.log(frame.seq, frame.kind);
 * }
 * ```
 *
 * The socket closes when the loop is left, or `signal` aborts. A publisher that is not there yet,
 * or starts again, is waited for.
 *
 * @throws DepthlineError `CONFIG` if the endpoint is not one
 */
export async function* subscribeDepth(
  endpoint: string,
  options: SubscribeOptions = {},
): AsyncGenerator<ReceivedFrame, void, undefined> {
  const socket = await open(endpoint, options);
  const close = () => socket.close();
  options.signal?.addEventListener('abort', close, { once: true });
  if (options.signal?.aborted) close();
  const messages = options.latest ? newest(socket) : all(socket);
  try {
    for await (const parts of messages) {
      const frame = decode(parts, options);
      if (frame) yield frame;
    }
  } finally {
    options.signal?.removeEventListener('abort', close);
    close();
  }
}

const defaultHighWaterMark = 100;
/** More than any picture has; ZeroMQ hangs up on a publisher that says it sends more, bytes. */
const longestMessage = 512 * 1024 * 1024;

async function open(endpoint: string, options: SubscribeOptions): Promise<Subscriber> {
  const zmq = await import('zeromq');
  const { curve, topic = 'depth' } = options;
  const socket = new zmq.Subscriber({
    // Whatever waits beyond the newest frame is stale for somebody who wants the newest.
    receiveHighWaterMark: options.latest ? 1 : (options.highWaterMark ?? defaultHighWaterMark),
    linger: 0,
    maxMessageSize: longestMessage,
    ...(curve && {
      curveServerKey: curve.serverKey,
      curvePublicKey: curve.publicKey,
      curveSecretKey: curve.secretKey,
    }),
  });
  try {
    // ZeroMQ matches prefixes; exact topics are sorted out on arrival.
    socket.subscribe(topic);
    if (options.mode === 'bind') await socket.bind(endpoint);
    else socket.connect(endpoint);
  } catch (error) {
    socket.close();
    const code = (error as { code?: string }).code;
    const message =
      code === 'EADDRINUSE'
        ? `${endpoint} is in use by another process; stop it or choose another port`
        : `"${endpoint}" cannot be opened (${reason(error)}); write tcp://127.0.0.1:5556 or ipc:///path`;
    throw new DepthlineError('CONFIG', message, { cause: error });
  }
  return socket;
}

async function* all(socket: Subscriber): AsyncGenerator<readonly Uint8Array[]> {
  for await (const parts of socket) yield parts;
}

/** Reads on while the consumer is busy and keeps one message, so that nothing old waits anywhere. */
async function* newest(socket: Subscriber): AsyncGenerator<readonly Uint8Array[]> {
  let slot: readonly Uint8Array[] | undefined;
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  const reading = (async () => {
    for await (const parts of socket) {
      slot = parts;
      wake();
    }
  })()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      ended = true;
      wake();
    });
  for (;;) {
    if (slot) {
      const parts = slot;
      slot = undefined;
      yield parts;
    } else if (ended) {
      break;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  await reading;
  if (failure !== undefined) throw failure;
}

function decode(
  parts: readonly Uint8Array[],
  options: SubscribeOptions,
): ReceivedFrame | undefined {
  try {
    const message: Unpacked = unpackMessage(parts);
    if (message.topic !== (options.topic ?? 'depth')) return undefined;
    const frame: Frame = decodeFrame(message);
    return { ...frame, header: message.header };
  } catch (error) {
    if (!(error instanceof CorruptMessage)) throw error;
    options.onCorrupt?.(error);
    return undefined;
  }
}
