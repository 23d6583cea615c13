import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { Frame } from '../core/frame.ts';
import { SinkLost } from '../core/sink-lost.ts';
import { metricProblems } from '../depth/relative.ts';
import { frameShape } from '../ros/frame-shape.ts';
import { messageOptions } from '../ros/message-options.ts';
import { mountTransforms } from '../ros/transforms.ts';
import { nodeOptions, nodeWarnings, resolvedNode } from '../ros1/node-options.ts';

const options = z.strictObject({ ...nodeOptions, ...messageOptions });

type Options = z.output<typeof options>;

/**
 * A node of ROS 1 that publishes pictures, depth (REP 118), calibrations and points, all of a frame
 * with its capture time as stamp and its number as `header.seq`; data as JSON in `std_msgs/String`;
 * with `mount` a latched `/tf_static`. A subscriber that reads too slowly gets fewer messages, always
 * the newest; nobody else notices. A master that restarts is found again. A frame counts as delivered
 * once it was handed to the connections of all subscribers.
 */
export const ros1 = defineSink({
  name: 'ros1',
  summary: 'Publishes pictures, depth, calibrations and points on topics of ROS 1.',
  accepts: ['depth', 'image', 'points', 'data'],
  options,
  examples: [
    {},
    { master: 'http://127.0.0.1:11311', namespace: '/front', depth: '16UC1', pictures: 'jpeg' },
    { mount: { parent: 'base_link', position: [0.1, 0, 0.3] } },
  ],
  claims: ({ master = '', namespace, node }) => [
    { what: `namespace ${namespace}`, at: master, option: 'namespace', perCamera: true },
    ...(node === undefined ? [] : [{ what: `node ${node}`, at: master, option: 'node' }]),
  ],
  warnings: nodeWarnings,
  check: ({ depth }, { arriving }) =>
    depth === '16UC1'
      ? metricProblems(arriving, 'depth', '16UC1 is in millimetres', 'use 32FC1')
      : [],
  create: (options, context) => open(options, context),
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const [{ Ros1Node }, { toRos1 }, { FrameMessages }, encoders] = await Promise.all([
    import('../ros1/ros1-node.ts'),
    import('../ros1/convert.ts'),
    import('../ros/frame-messages.ts'),
    import('../imaging/encode.ts'),
  ]);
  const { clock, log } = context;
  for (const warning of nodeWarnings(options)) log.warn(warning);
  const named = resolvedNode(options);
  const node = await Ros1Node.open({ ...named, role: 'sink', clock, log });
  context.defer(() => node.close());
  const { namespace, mount } = options;
  const frameId = options['frame-id'];
  const messages = new FrameMessages({ ...options, frameId }, encoders);
  if (mount) {
    const transforms = mountTransforms(mount, frameId, clock.wall());
    await node.advertise('/tf_static', 'tf2_msgs/TFMessage', true);
    await node.publish('/tf_static', toRos1('tf2_msgs/TFMessage', { transforms }, 0));
  }
  log.info(`publishes below ${namespace} as /${named.name}, master ${named.master}`);

  const known = new Set<string>();
  let frames = 0;
  let relative = false;
  context.summary(() => ({
    ...{ node: `/${named.name}`, frames, ...node.counts },
    ...(relative && { unit: 'relative' }),
  }));
  const publishData = async (value: unknown) => {
    const topic = `${namespace}/data`;
    await node.advertise(topic, 'std_msgs/String');
    await node.publish(topic, { data: JSON.stringify(value ?? null) });
  };
  const publish = async (frame: Frame) => {
    for (const { topic, type, message } of await messages.of(frame)) {
      await node.advertise(topic, type);
      if (node.hasSubscribers(topic))
        await node.publish(topic, toRos1(type, message as never, frame.seq));
    }
  };
  return {
    async write(frame) {
      if (!node.running)
        throw new SinkLost(
          `the ROS master or another node has shut down /${named.name}; was another node started with its name?`,
        );
      // Nothing is encoded for nobody, once the topics of such frames are known.
      const shape = frameShape(frame);
      if (node.hasSubscribers() || !known.has(shape)) {
        await (frame.kind === 'data' ? publishData(frame.value) : publish(frame));
        known.add(shape);
      }
      frames++;
      if (frame.kind === 'depth' && frame.unit === 'relative') relative = true;
    },
  };
}
