import type { Subscriber } from 'zeromq';
import { type Clock, systemClock } from '../core/clock.ts';
import { DepthlineError } from '../core/errors.ts';
import type { DataFrame, DepthFrame, ImageFrame, PointsFrame } from '../core/frame.ts';
import { bind, connectTo } from './bind.ts';
import { type ConnectionEvents, watchConnections } from './connection.ts';
import { endpointProblem, resolveHost } from './endpoint.ts';
import type { MessageHeader } from './header.ts';
import { CorruptMessage } from './header-check.ts';
import { hasTopic, unpackMessage } from './message.ts';
import { decodeMessage } from './message-codec.ts';

/** A frame from a topic, with the header it came with. */
export type ReceivedFrame = (DepthFrame | ImageFrame | PointsFrame | DataFrame) & {
  readonly header: MessageHeader;
  /** When this end read the message, nanoseconds since the Unix epoch by its own clock. */
  readonly receivedAt: bigint;
};

/** What is read from a topic, and how. */
export interface SubscribeOptions extends ConnectionEvents {
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
  /** Told of each corrupt message; it is skipped. Default: ignored. */
  readonly onCorrupt?: (error: CorruptMessage) => void;
  /** `connect` to a publisher (default), or `bind` where publishers connect. */
  readonly mode?: 'connect' | 'bind';
  /** Told of problems that need not end the subscription. Default: ignored. */
  readonly onWarning?: (message: string) => void;
  /** For tests; default: the system's clock. */
  readonly clock?: Clock;
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
 * The socket closes when the loop is left, or `signal` aborts. It waits without end for a publisher
 * that is not there yet or restarts.
 *
 * @throws DepthlineError `CONFIG` if the endpoint is invalid, `SOURCE` if it cannot be used
 */
export async function* subscribeDepth(
  endpoint: string,
  options: SubscribeOptions = {},
): AsyncGenerator<ReceivedFrame, void, undefined> {
  const socket = await open(endpoint, options);
  const close = () => socket.close();
  options.signal?.addEventListener('abort', close, { once: true });
  if (options.signal?.aborted) close();
  const messages = options.latest ? newest(socket, options) : all(socket, options);
  try {
    for await (const message of messages) {
      const frame = await decode(message, options);
      if (frame) yield frame;
    }
  } finally {
    options.signal?.removeEventListener('abort', close);
    close();
  }
}

const defaultHighWaterMark = 100;
/** More than any picture has. ZeroMQ disconnects a publisher that announces more, bytes. */
const longestMessage = 512 * 1024 * 1024;
/** Without it, a publisher whose machine lost power would seem connected for ever. */
const keepAlive = {
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 10,
  tcpKeepaliveInterval: 3,
  tcpKeepaliveCount: 3,
};

async function open(endpoint: string, options: SubscribeOptions): Promise<Subscriber> {
  const { curve, topic = 'depth', mode = 'connect' } = options;
  const problem = endpointProblem(endpoint, mode);
  if (problem !== undefined) throw new DepthlineError('CONFIG', problem);
  const zmq = await import('zeromq');
  const { ipv6, unresolved } = await resolveHost(endpoint, mode);
  if (unresolved !== undefined) {
    options.onWarning?.(`host "${unresolved}" cannot be resolved yet; ZeroMQ keeps trying`);
  }
  const socket = new zmq.Subscriber({
    ipv6,
    ...keepAlive,
    // For a reader of the newest frame, everything else that waits is stale.
    receiveHighWaterMark: options.latest ? 1 : (options.highWaterMark ?? defaultHighWaterMark),
    linger: 0,
    maxMessageSize: longestMessage,
    ...(curve && {
      curveServerKey: curve.serverKey,
      curvePublicKey: curve.publicKey,
      curveSecretKey: curve.secretKey,
    }),
  });
  // It ends when the socket is closed.
  const connects = mode === 'connect' ? endpoint : undefined;
  void watchConnections(socket, connects, options).catch(() => {});
  try {
    // ZeroMQ matches prefixes; exact topics are compared on arrival.
    socket.subscribe(topic);
    if (mode === 'bind') await bind(socket, endpoint, 'SOURCE');
    else connectTo(socket, endpoint, unresolved, 'SOURCE');
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

interface Received {
  readonly parts: readonly Uint8Array[];
  readonly receivedAt: bigint;
}

async function* all(socket: Subscriber, options: SubscribeOptions): AsyncGenerator<Received> {
  const { topic = 'depth', clock = systemClock } = options;
  for await (const parts of socket) {
    if (hasTopic(parts, topic)) yield { parts, receivedAt: clock.wall() };
  }
}

/** Keeps reading while the consumer is busy and keeps the newest message, so that no old one waits. */
async function* newest(socket: Subscriber, options: SubscribeOptions): AsyncGenerator<Received> {
  let slot: Received | undefined;
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  const reading = (async () => {
    for await (const received of all(socket, options)) {
      slot = received;
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
      const received = slot;
      slot = undefined;
      yield received;
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

async function decode(
  { parts, receivedAt }: Received,
  options: SubscribeOptions,
): Promise<ReceivedFrame | undefined> {
  try {
    const message = unpackMessage(parts);
    const frame = await decodeMessage(message);
    return { ...frame, header: message.header, receivedAt };
  } catch (error) {
    if (!(error instanceof CorruptMessage)) throw error;
    options.onCorrupt?.(error);
    return undefined;
  }
}
