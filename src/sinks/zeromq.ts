import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import type { XPublisher } from 'zeromq';
import { z } from 'zod';
import { type ComponentContext, defineSink, type Sink } from '../core/component.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Frame, FrameKind } from '../core/frame.ts';
import { curveServerSchema } from '../topic/curve.ts';
import { exposure } from '../topic/exposure.ts';
import { depthEncodings } from '../topic/header.ts';
import { encodeFrame, framings, packMessage } from '../topic/message.ts';
import { allowOnly } from '../topic/zap.ts';

const options = z
  .strictObject({
    bind: z
      .string()
      .optional()
      .describe('endpoint that subscribers connect to: tcp://127.0.0.1:5556, ipc:///run/depth'),
    connect: z
      .string()
      .optional()
      .describe('endpoint of a subscriber or proxy that binds, in place of bind'),
    type: z
      .enum(['pub', 'push'])
      .default('pub')
      .describe(
        'pub: to everyone who listens, never waits; push: to one of those connected, lossless, waits',
      ),
    topic: z
      .string()
      .min(1)
      .default('depth')
      .describe('topic of depth frames, and of frames without a topic of their own'),
    'image-topic': z
      .string()
      .min(1)
      .optional()
      .describe('publish pictures too, under this topic; a depth frame brings its picture along'),
    framing: z
      .enum(framings)
      .default('multipart')
      .describe('[topic, header, payload], or all in one part so that a subscriber may conflate'),
    encoding: z
      .enum(depthEncodings)
      .default('32FC1')
      .describe('depth as float32 metres or uint16 millimetres'),
    'high-water-mark': z
      .int()
      .min(1)
      .max(100_000)
      .default(4)
      .describe('messages kept per subscriber before pub drops and push waits'),
    demand: z
      .enum(['always', 'subscribers'])
      .default('always')
      .describe(
        'subscribers: while nobody listens to this topic, and no other sink wants frames, nothing is captured or computed',
      ),
    curve: curveServerSchema.optional(),
  })
  .refine((o) => (o.bind === undefined) !== (o.connect === undefined), {
    error: 'needs either "bind" or "connect", and not both',
  })
  .refine((o) => o.demand === 'always' || o.type === 'pub', {
    error: 'only "type: pub" knows its subscribers; leave "demand" out, or publish',
    path: ['demand'],
  });

type Options = z.output<typeof options>;

/** Longest that a closing socket waits for messages on their way, milliseconds. */
const lingerMs = 500;

/**
 * Publishes frames as messages that explain themselves (docs/depth-topic.md). PUB never waits: a
 * subscriber that is too slow loses messages at its high-water mark. PUSH waits.
 */
export const zeromq = defineSink({
  name: 'zeromq',
  summary: 'Publishes depth, pictures, points and data on a ZeroMQ topic.',
  accepts: ['depth', 'image', 'points', 'data'],
  options,
  examples: [
    { bind: 'tcp://127.0.0.1:5556', topic: 'depth' },
    { bind: 'ipc:///tmp/depth', framing: 'single', encoding: '16UC1' },
  ],
  warnings: exposure,
  create: (options, context) => open(options, context),
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const { Publisher, Push, XPublisher } = await import('zeromq');
  let endpoint = (options.bind ?? options.connect) as string;
  const access = options.curve?.allow && (await allowOnly(options.curve.allow));
  if (access) context.defer(access.close);
  const settings = {
    sendHighWaterMark: options['high-water-mark'],
    maxMessageSize: longestRequest,
    linger: lingerMs,
    ...(options.curve && { curveServer: true, curveSecretKey: options.curve['secret-key'] }),
    ...(access && { zapDomain: access.domain }),
  };
  const watched = options.demand === 'subscribers' ? new XPublisher(settings) : undefined;
  const socket = watched ?? new { pub: Publisher, push: Push }[options.type](settings);
  context.defer(() => socket.close());
  for (const warning of exposure(options)) context.log.warn(warning);
  try {
    if (options.bind !== undefined) await socket.bind(endpoint);
    else socket.connect(endpoint);
  } catch (error) {
    throw new DepthlineError('SINK', bindProblem(endpoint, error), { cause: error });
  }
  if (options.bind?.startsWith('tcp:') && socket.lastEndpoint !== null) {
    // Where the port was left open ("*"), subscribers need to know it.
    if (endpoint !== socket.lastEndpoint) context.log.info(`bound to ${socket.lastEndpoint}`);
    endpoint = socket.lastEndpoint;
  }
  const stopped = () => socket.close();
  context.signal.addEventListener('abort', stopped, { once: true });

  let messages = 0;
  let bytes = 0;
  let lastSeq: number | undefined;
  context.summary(() => ({ endpoint, messages, bytes }));

  const send = async (frame: Frame, topic: string, dropped: number) => {
    const { header, payload } = encodeFrame(frame, {
      encoding: options.encoding,
      publishedAt: context.clock.wall(),
      dropped,
    });
    const parts = packMessage(options.framing, topic, header, payload);
    await socket.send(parts as Buffer[]);
    messages++;
    for (const part of parts) bytes += part.length;
  };
  const topicOf = (kind: FrameKind) =>
    (kind === 'image' && options['image-topic']) || options.topic;

  return {
    ...(watched && { wanted: demand(watched, options) }),
    async write(frame) {
      const dropped = lastSeq === undefined ? 0 : Math.max(0, frame.seq - lastSeq - 1);
      lastSeq = frame.seq;
      if (options['image-topic'] && frame.kind === 'depth' && frame.image) {
        await send(frame.image, options['image-topic'], dropped);
      }
      await send(frame, topicOf(frame.kind), dropped);
    },
  };
}

/** Subscribers send what they subscribe to. ZeroMQ hangs up on one that says it sends more, bytes. */
const longestRequest = 64 * 1024;

/** Whether anybody subscribes to a topic of ours, or to a beginning of one. */
function demand(socket: XPublisher, options: Options): Observable<boolean> {
  const topics = [options.topic, options['image-topic'] ?? options.topic];
  const prefixes = new Set<string>();
  const wanted = new BehaviorSubject(false);
  const listen = async () => {
    // One message when the first subscriber asks for a prefix, and one when the last has left.
    for await (const [change] of socket) {
      const prefix = String(change?.subarray(1));
      // Whoever asks for a great many others must not fill our memory with them.
      if (!topics.some((topic) => topic.startsWith(prefix))) continue;
      if (change?.[0] === 1) prefixes.add(prefix);
      else prefixes.delete(prefix);
      wanted.next(prefixes.size > 0);
    }
  };
  // It ends when the socket is closed.
  void listen().catch(() => {});
  return wanted.pipe(distinctUntilChanged());
}

function bindProblem(endpoint: string, error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'EADDRINUSE') {
    return `${endpoint} is in use by another process; stop it or choose another port`;
  }
  if (code === 'EINVAL' || code === 'EPROTONOSUPPORT') {
    return `"${endpoint}" is not a ZeroMQ endpoint; write tcp://127.0.0.1:5556 or ipc:///path`;
  }
  if (code === 'EACCES')
    return `no permission for ${endpoint}; choose a port above 1023 or another path`;
  return `${endpoint} cannot be opened: ${reason(error)}`;
}
