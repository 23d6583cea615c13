import type { Publisher, Push, XPublisher } from 'zeromq';
import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import { messageFrame } from '../core/message-frame.ts';
import { metricProblems } from '../depth/relative.ts';
import { bind, connectTo } from '../topic/bind.ts';
import { cameraTopic } from '../topic/camera-topic.ts';
import { curveServerSchema } from '../topic/curve.ts';
import { demand } from '../topic/demand.ts';
import {
  type EndpointUse,
  endpoint,
  type Host,
  resolveHost,
  topicName,
} from '../topic/endpoint.ts';
import { exposure } from '../topic/exposure.ts';
import { isPacked, packedEncodings, topicEncodings } from '../topic/header.ts';
import { framings, packMessage } from '../topic/message.ts';
import { encodeMessage } from '../topic/message-codec.ts';
import { loadCodec } from '../topic/packed-depth.ts';
import { allowOnly } from '../topic/zap.ts';

const options = z
  .strictObject({
    bind: endpoint('bind')
      .optional()
      .describe('endpoint that subscribers connect to: tcp://127.0.0.1:5556, ipc:///run/depth'),
    connect: endpoint('connect')
      .optional()
      .describe('endpoint of a subscriber or proxy that binds, in place of bind'),
    type: z
      .enum(['pub', 'push'])
      .default('pub')
      .describe(
        'pub: to every subscriber, never waits; push: each message to one reader, lossless, waits',
      ),
    topic: topicName()
      .default('depth')
      .describe(
        'topic of depth frames, and of frames without a topic of their own; of several cameras, the name of each stands for {camera}, or follows: depth/front',
      ),
    'image-topic': topicName()
      .optional()
      .describe('publish pictures too, under this topic: the picture of each depth frame'),
    framing: z
      .enum(framings)
      .default('multipart')
      .describe('[topic, header, payload], or all in one part so that a subscriber may conflate'),
    encoding: z
      .enum(topicEncodings)
      .default('32FC1')
      .describe(
        'depth as float32 metres, uint16 millimetres, or those compressed without loss: about a twentieth of float32',
      ),
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
        'subscribers: while there are no subscribers, and no other sink wants frames, nothing is captured or computed',
      ),
    curve: curveServerSchema.optional(),
  })
  .refine((o) => (o.bind === undefined) !== (o.connect === undefined), {
    error: 'needs either "bind" or "connect", and not both',
  })
  .refine((o) => o.demand === 'always' || o.type === 'pub', {
    error: 'only "type: pub" knows its subscribers; leave "demand" out, or set "type: pub"',
    path: ['demand'],
  });

type Options = z.output<typeof options>;

/** Why 16UC1 refuses relative depth, and what to use. */
const millimetres = ['16UC1 is in millimetres', 'use 32FC1'] as const;

/** How long a closing socket keeps messages that were not sent yet, milliseconds. */
const lingerMs = 500;
/** Subscribers send only their subscriptions. ZeroMQ disconnects one that announces more, bytes. */
const longestRequest = 64 * 1024;

/**
 * Publishes frames as self-describing messages (docs/depth-topic.md). PUB never waits: a subscriber
 * that is too slow loses messages at its high-water mark. PUSH waits.
 */
export const zeromq = defineSink({
  name: 'zeromq',
  summary: 'Publishes depth, pictures, points and data on a ZeroMQ topic.',
  accepts: ['depth', 'image', 'points', 'data'],
  shared: true,
  namesCamera: ['topic', 'image-topic'],
  options,
  usesPicture: (o) => o['image-topic'] !== undefined,
  examples: [
    { bind: 'tcp://127.0.0.1:5556', topic: 'depth' },
    { bind: 'ipc:///tmp/depth', framing: 'single', encoding: '16UC1' },
  ],
  claims: ({ bind }) =>
    bind === undefined || bind.endsWith(':*') ? [] : [{ what: `endpoint ${bind}`, option: 'bind' }],
  warnings: exposure,
  check: ({ encoding }, { arriving }) =>
    encoding !== '32FC1' ? metricProblems(arriving, 'encoding', ...millimetres) : [],
  create: (options, context) => open(options, context),
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  if (isPacked(options.encoding)) await loadCodec(packedEncodings[options.encoding]);
  const host = await resolveHost(endpointOf(options), usedTo(options));
  const socket = await openSocket(options, host, context);
  for (const warning of exposure(options)) context.log.warn(warning);
  const wanted = await wantedBy(socket, options, context);
  const endpoint = await attach(socket, options, host, context);
  context.signal.addEventListener('abort', () => socket.close(), { once: true });

  let messages = 0;
  let bytes = 0;
  const lastSeqs = new Map<string | undefined, number>();
  context.summary(() => ({ endpoint, messages, bytes }));

  const send = async (frame: Frame, topic: string, dropped: number) => {
    const { header, payload } = await encodeMessage(frame, {
      encoding: options.encoding,
      publishedAt: context.clock.wall(),
      dropped,
    });
    // ZeroMQ.js copies strings; buffers it keeps, and tells this thread of each when it has been sent.
    const parts =
      options.framing === 'single'
        ? packMessage('single', topic, header, payload)
        : [topic, JSON.stringify(header), payload];
    await socket.send(parts as Buffer[]);
    messages++;
    for (const part of parts) bytes += Buffer.byteLength(part);
  };
  const imageTopic = options['image-topic'];

  return {
    ...wanted,
    async write(frame) {
      // The frame's own camera may be one of another run, whose topic it was read from.
      const camera = context.cameras && frame.camera;
      const lastSeq = lastSeqs.get(camera) ?? frame.seq;
      const dropped = Math.max(0, frame.seq - lastSeq - 1);
      lastSeqs.set(camera, frame.seq);
      if (imageTopic !== undefined && frame.kind === 'depth' && frame.image)
        await send(frame.image, cameraTopic(imageTopic, camera), dropped);
      const topic = (messageFrame(frame).kind === 'image' && imageTopic) || options.topic;
      await send(frame, cameraTopic(topic, camera), dropped);
    },
  };
}

async function openSocket(
  options: Options,
  { ipv6 }: Host,
  context: ComponentContext,
): Promise<Publisher | Push | XPublisher> {
  const { Publisher, Push, XPublisher } = await import('zeromq');
  const access = options.curve?.allow && (await allowOnly(options.curve.allow));
  if (access) context.defer(access.close);
  const Socket =
    options.demand === 'subscribers' ? XPublisher : { pub: Publisher, push: Push }[options.type];
  const socket = new Socket({
    ipv6,
    sendHighWaterMark: options['high-water-mark'],
    maxMessageSize: longestRequest,
    linger: lingerMs,
    ...(options.curve && { curveServer: true, curveSecretKey: options.curve['secret-key'] }),
    ...access?.settings,
  });
  context.defer(() => socket.close());
  return socket;
}

async function wantedBy(
  socket: Publisher | Push | XPublisher,
  options: Options,
  context: ComponentContext,
): Promise<Pick<Sink, 'wanted' | 'wantedOf'>> {
  if (options.demand !== 'subscribers') return {};
  const topicsOf = (camera?: string) =>
    [options.topic, options['image-topic'] ?? options.topic].map((topic) =>
      cameraTopic(topic, camera),
    );
  const topics = context.cameras?.flatMap(topicsOf) ?? topicsOf();
  const { wanted, wantedOf, close } = await demand(socket as XPublisher, topics);
  context.defer(close);
  return { wanted, wantedOf: (camera) => wantedOf(topicsOf(camera)) };
}

/** Binds or connects the socket; the endpoint that others connect to. */
async function attach(
  socket: Publisher | Push | XPublisher,
  options: Options,
  { unresolved }: Host,
  { log }: ComponentContext,
): Promise<string> {
  const endpoint = endpointOf(options);
  if (options.bind === undefined) {
    connectTo(socket, endpoint, unresolved, 'SINK');
    if (unresolved !== undefined) {
      log.warn(`host "${unresolved}" cannot be resolved yet; ZeroMQ keeps trying`);
    }
    return endpoint;
  }
  await bind(socket, endpoint, 'SINK');
  const bound = socket.lastEndpoint ?? endpoint;
  // Where the port was left open ("*"), subscribers need to know it.
  if (bound !== endpoint) log.info(`bound to ${bound}`);
  return bound;
}

function endpointOf(options: Options): string {
  return (options.bind ?? options.connect) as string;
}

function usedTo(options: Options): EndpointUse {
  return options.bind === undefined ? 'connect' : 'bind';
}
