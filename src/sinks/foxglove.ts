import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import { listenHost, listenPort } from '../core/listen-options.ts';
import { isLoopback } from '../core/loopback.ts';
import { metricProblems } from '../depth/relative.ts';
import type { Outgoing } from '../foxglove/live-server.ts';
import { dataSchema, ledgerSchema, ownTopics } from '../mcap/frame-record.ts';
import { frameShape } from '../ros/frame-shape.ts';
import { messageOptions } from '../ros/message-options.ts';
import { mountTransforms } from '../ros/transforms.ts';

const options = z.strictObject({
  port: listenPort(8765, 'to listen on'),
  host: listenHost(),
  origins: z
    .array(z.string().min(1).max(255))
    .max(32)
    .default(['https://app.foxglove.dev', 'file://'])
    .describe(
      'web pages that may connect, by scheme, host and port; default: Foxglove in the browser and on the desktop; clients that are no page always may',
    ),
  encoding: z
    .enum(['foxglove', 'ros2'])
    .default('foxglove')
    .describe(
      'foxglove: messages of Foxglove (protobuf); ros2: messages of ROS 2 (CDR); the ledger and data are JSON',
    ),
  title: z.string().max(200).default('Depthline').describe('name that clients show'),
  parameters: z
    .boolean()
    .default(true)
    .describe('offer the options that can change while the pipeline runs as parameters'),
  clients: z.int().min(1).max(256).default(16).describe('clients that may be connected at a time'),
  demand: z
    .enum(['always', 'subscribers'])
    .default('always')
    .describe(
      'subscribers: while no client subscribes to a topic, and no other sink wants frames, nothing is captured or computed',
    ),
  ...messageOptions,
});

type Options = z.output<typeof options>;

/**
 * A server of the Foxglove WebSocket protocol. Frames go to the topics that clients subscribe to, as
 * the `mcap` sink writes them; the ledger of the run once a second. A client that reads too slowly
 * gets fewer frames, always the newest; nobody else notices. A frame counts as delivered once it was
 * offered to each client.
 */
export const foxglove = defineSink({
  name: 'foxglove',
  summary: 'Shows frames and the ledger live in Foxglove, with options as parameters.',
  accepts: ['depth', 'image', 'points', 'data'],
  shared: true,
  options,
  examples: [
    { port: 8765 },
    { port: 8765, pictures: 'jpeg', demand: 'subscribers' },
    { port: 8765, encoding: 'ros2', depth: '16UC1', mount: { position: [0.1, 0, 0.3] } },
  ],
  claims: ({ host, port }) =>
    port === 0 ? [] : [{ what: `port ${port}`, at: host, option: 'port' }],
  warnings,
  check: ({ depth }, { arriving }) =>
    depth === '16UC1'
      ? metricProblems(arriving, 'depth', '16UC1 is in millimetres', 'use 32FC1')
      : [],
  create: (options, context) => open(options, context),
});

function warnings({ host, port, parameters }: Options): string[] {
  if (isLoopback(host)) return [];
  const who = parameters ? 'watch and change parameters' : 'watch';
  return [
    `${host}:${port} is open to the network: everyone there can ${who}; leave host out and use ssh -L`,
  ];
}

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const [{ FoxgloveLiveServer }, { FoxgloveEncoder }, { FrameMessages }, encoders] =
    await Promise.all([
      import('../foxglove/live-server.ts'),
      import('../foxglove/foxglove-encoder.ts'),
      import('../ros/frame-messages.ts'),
      import('../imaging/encode.ts'),
    ]);
  const { namespace, mount } = options;
  const frameId = options['frame-id'];
  const json = new FoxgloveEncoder();
  const encoder =
    options.encoding === 'foxglove'
      ? json
      : new (await import('../ros/ros2-encoder.ts')).Ros2Encoder();
  /** Of one camera of several, with its name in topics and coordinate frames. */
  const named = (camera: string | undefined) => {
    if (!context.cameras || camera === undefined) return { namespace, frameId };
    // ROS allows no "-" in the names of topics.
    const name = camera.replaceAll('-', '_');
    return { namespace: `${namespace}/${name}`, frameId: `${name}_${frameId}` };
  };
  const makers = new Map<string | undefined, InstanceType<typeof FrameMessages>>();
  const messagesOf = (camera: string | undefined) => {
    const found = makers.get(camera);
    const messages = found ?? new FrameMessages({ ...options, ...named(camera) }, encoders);
    if (!found) makers.set(camera, messages);
    return messages;
  };
  const { clock, log } = context;
  const steady = (): Outgoing[] => [
    {
      topic: `${namespace}${ownTopics.ledger}`,
      message: json.encodeJson(context.runStats(), ledgerSchema),
    },
    ...(mount
      ? [
          {
            topic: '/tf_static',
            message: encoder.encode('tf2_msgs/TFMessage', {
              transforms: (context.cameras ?? [undefined]).flatMap((camera) =>
                mountTransforms(mount, named(camera).frameId, clock.wall()),
              ),
            }),
          },
        ]
      : []),
  ];
  const server = await FoxgloveLiveServer.open({
    ...options,
    parameters: options.parameters ? context.live : undefined,
    clock,
    everySecond: steady,
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
  });
  context.defer(() => server.close());
  for (const warning of warnings(options)) log.warn(warning);
  log.info(`serves Foxglove at ${server.address}`);
  context.signal.addEventListener('abort', () => void server.close(), { once: true });

  const known = new Set<string>();
  let frames = 0;
  let relative = false;
  context.summary(() => ({
    ...{ address: server.address, frames, ...server.counts },
    ...(relative && { unit: 'relative' }),
  }));
  const outgoing = async (frame: Frame): Promise<Outgoing[]> => {
    if (frame.kind === 'data') {
      const topic = `${named(frame.camera).namespace}${ownTopics.data}`;
      return [{ topic, message: json.encodeJson({ value: frame.value ?? null }, dataSchema) }];
    }
    return (await messagesOf(frame.camera).of(frame))
      .filter(({ topic }) => server.wants(topic))
      .map(({ topic, type, message }) => ({
        topic,
        message: encoder.encode(type, message as never),
      }));
  };
  return {
    ...(options.demand === 'subscribers' && { wanted: server.wanted }),
    async write(frame) {
      // Nothing is encoded for nobody, once the topics of such frames are known.
      const shape = `${frame.camera} ${frameShape(frame)}`;
      if (!server.idle || !known.has(shape)) {
        server.show(frame.capturedAt, await outgoing(frame));
        known.add(shape);
      }
      frames++;
      if (frame.kind === 'depth' && frame.unit === 'relative') relative = true;
    },
  };
}
