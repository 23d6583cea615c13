import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { DataFrame } from '../core/frame.ts';
import { resolvePath } from '../core/resolve-path.ts';
import type { BrokerLink } from '../mqtt/broker-link.ts';
import { brokerOptions, brokerWarnings, publishedTopic } from '../mqtt/broker-options.ts';
import { discoveryOf } from '../mqtt/home-assistant.ts';
import { isZonesValue, type ZonesValue } from '../zones/zones-value.ts';

const options = z.strictObject({
  ...brokerOptions,
  topic: publishedTopic()
    .default('depthline')
    .describe('topic below which everything is published'),
  qos: z
    .union([z.literal(0), z.literal(1), z.literal(2)])
    .default(1)
    .describe('0: sent once, perhaps lost; 1: acknowledged, perhaps twice; 2: exactly once'),
  retain: z
    .boolean()
    .default(true)
    .describe('the broker keeps the newest state for those who come later'),
  'home-assistant': z
    .strictObject({
      prefix: publishedTopic()
        .default('homeassistant')
        .describe('topic where Home Assistant looks for devices'),
      device: z.string().min(1).max(200).default('Depthline').describe('name of the device'),
    })
    .optional()
    .describe(
      'announce each zone to Home Assistant as an occupancy and a distance sensor; {} is enough',
    ),
});

type Options = z.output<typeof options>;

/**
 * Publishes data frames as JSON on `TOPIC/state`, and of those that `zones` made `ON` or `OFF` on
 * `TOPIC/zones/NAME` at every change and each event on `TOPIC/events`. `TOPIC/status` is `online`, and
 * `offline` when the run ends or is lost. A frame counts as delivered when the broker has acknowledged
 * all of its messages; at QoS 0 when they were handed to the network.
 */
export const mqtt = defineSink({
  name: 'mqtt',
  summary: 'Publishes data, such as the state of zones, to an MQTT broker.',
  accepts: ['data'],
  options,
  usesPicture: () => false,
  examples: [
    { url: 'mqtt://127.0.0.1:1883', topic: 'depthline/hall' },
    {
      url: 'mqtts://broker.example:8883',
      username: 'depthline',
      'home-assistant': { device: 'Hall' },
    },
  ],
  reads: ({ ca }, baseDirectory) =>
    ca === undefined ? [] : [{ path: resolvePath(baseDirectory, ca), as: 'file', option: 'ca' }],
  claims: ({ url, topic, 'client-id': client }) => {
    const at = new URL(url).host;
    const id =
      client === undefined ? [] : [{ what: `client-id ${client}`, at, option: 'client-id' }];
    return [{ what: `topic ${topic}`, at, option: 'topic' }, ...id];
  },
  warnings: brokerWarnings,
  create: (options, context) => open(options, context),
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  const { BrokerLink } = await import('../mqtt/broker-link.ts');
  for (const warning of brokerWarnings(options)) context.log.warn(warning);
  const { baseDirectory, log, signal } = context;
  const status = `${options.topic}/status`;
  const link = await BrokerLink.open({ ...options, baseDirectory, status, log, signal });
  context.defer(() => link.close());
  const zones = new PublishedZones(link, options);
  const { origin } = new URL(options.url);
  log.info(
    `publishes below ${options.topic} at ${origin === 'null' ? new URL(options.url).host : origin}`,
  );

  let frames = 0;
  let messages = 0;
  context.summary(() => ({ frames, messages: messages + zones.messages }));
  link.onConnected(() => {
    const kept = { qos: 1, retain: true } as const;
    // Without the broker there is nobody to tell; it is told when it is back.
    link.publish(status, 'online', kept).catch(() => {});
    zones.repeat();
  });
  const { qos, retain } = options;
  return {
    async write(frame) {
      const { seq, capturedAt, value } = frame as DataFrame;
      const at = new Date(Number(capturedAt / 1_000_000n)).toISOString();
      const sent = [
        link.publish(`${options.topic}/state`, JSON.stringify({ seq, at, value }), { qos, retain }),
      ];
      messages++;
      if (isZonesValue(value)) sent.push(...zones.publish(value, { seq, at }));
      await Promise.all(sent);
      frames++;
    },
  };
}

/** What the broker was told of zones, so that only changes are told. */
class PublishedZones {
  readonly #link: BrokerLink;
  readonly #options: Options;
  readonly #told = new Map<string, string>();
  messages = 0;

  constructor(link: BrokerLink, options: Options) {
    this.#link = link;
    this.#options = options;
  }

  publish({ zones, events }: ZonesValue, about: object): Promise<void>[] {
    const { topic, qos } = this.#options;
    const changed = Object.entries(zones)
      .map(([name, { inside }]) => [name, inside ? 'ON' : 'OFF'] as const)
      .filter(([name, state]) => this.#told.get(name) !== state);
    return [
      ...changed.flatMap(([name, state]) => this.#tell(name, state)),
      ...events.map((event) => {
        this.messages++;
        const text = JSON.stringify({ ...event, ...about });
        return this.#link.publish(`${topic}/events`, text, { qos, retain: false });
      }),
    ];
  }

  /** Tells a broker that may have forgotten them. */
  repeat(): void {
    const told = [...this.#told];
    this.#told.clear();
    for (const [name, state] of told) {
      for (const sent of this.#tell(name, state)) sent.catch(() => {});
    }
  }

  #tell(name: string, state: string): Promise<void>[] {
    const { topic, qos, retain } = this.#options;
    const first = !this.#told.has(name);
    this.#told.set(name, state);
    this.messages++;
    return [
      ...(first ? this.#announce(name) : []),
      this.#link.publish(`${topic}/zones/${name}`, state, { qos, retain }),
    ];
  }

  #announce(name: string): Promise<void>[] {
    const { topic, 'home-assistant': settings } = this.#options;
    if (!settings) return [];
    const found = discoveryOf(name, { ...settings, base: topic });
    this.messages += found.length;
    return found.map((one) => this.#link.publish(one.topic, one.payload, { qos: 1, retain: true }));
  }
}
