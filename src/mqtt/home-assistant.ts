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
  const id = `${base}-${zone}`.replace(/[^A-Za-z0-9_-]/g, '-');
  const common = {
    availability_topic: `${base}/status`,
    device: {
      identifiers: [base.replace(/[^A-Za-z0-9_-]/g, '-')],
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
    value_template: `{{ value_json.value.zones['${zone}'].distance }}`,
  };
  return [
    { topic: `${prefix}/binary_sensor/${id}/config`, payload: JSON.stringify(presence) },
    { topic: `${prefix}/sensor/${id}-distance/config`, payload: JSON.stringify(distance) },
  ];
}
