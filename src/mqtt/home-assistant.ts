import { createHash } from 'node:crypto';

/** A message that tells Home Assistant of an entity (MQTT discovery). */
export interface Discovery {
  readonly topic: string;
  readonly payload: string;
}

export interface DiscoverySettings {
  /** Where Home Assistant looks: `homeassistant`. */
  readonly prefix: string;
  /** Name of the device that the entities belong to. */
  readonly device: string;
  /** Topic below which the sink publishes. */
  readonly base: string;
}

/** A zone as two entities: whether something is inside, and its distance. */
export function discoveryOf(
  zone: string,
  { prefix, device, base }: DiscoverySettings,
): readonly Discovery[] {
  const id = entityId(base, zone);
  const common = {
    availability_topic: `${base}/status`,
    device: {
      identifiers: [simple.test(base) ? plain(base) : withHash(base, base)],
      name: device,
      manufacturer: 'Depthline',
    },
  };
  const presence = {
    ...common,
    name: zone,
    unique_id: id,
    device_class: 'occupancy',
    state_topic: `${base}/zones/${zone}`,
  };
  const distance = {
    ...common,
    name: `${zone} distance`,
    unique_id: `${id}-distance`,
    device_class: 'distance',
    unit_of_measurement: 'm',
    state_topic: `${base}/state`,
    value_template: `{{ value_json.value.zones['${jinja(zone)}'].distance }}`,
  };
  return [
    { topic: `${prefix}/binary_sensor/${id}/config`, payload: JSON.stringify(presence) },
    { topic: `${prefix}/sensor/${id}-distance/config`, payload: JSON.stringify(distance) },
  ];
}

/** What Home Assistant allows in an id. */
const simple = /^[\w-]+$/;
const withoutDash = /^\w+$/;

/**
 * The id of a zone, `BASE-ZONE`; no two zones have the same one. The first `-` ends a base that has none of its
 * own; behind any other base, or with a name that has other characters than those of an id, a hash follows.
 */
function entityId(base: string, zone: string): string {
  const id = `${base}-${zone}`;
  return withoutDash.test(base) && simple.test(zone) ? plain(id) : withHash(id, base, zone);
}

/** `id`, unless it looks like one with a hash. */
function plain(id: string): string {
  return /-[\da-f]{8}$/.test(id) ? withHash(id, id) : id;
}

function withHash(id: string, ...parts: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);
  return `${id.replace(/[^\w-]/g, '-')}-${hash}`;
}

/** `text` within a string of Jinja. */
function jinja(text: string): string {
  return text.replace(/[\\']/g, '\\$&');
}
