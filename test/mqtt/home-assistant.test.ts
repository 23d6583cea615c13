import { describe, expect, it } from 'vitest';
import { discoveryOf } from '../../src/mqtt/home-assistant.ts';

const messages = (base: string, zone: string) =>
  discoveryOf(zone, { prefix: 'homeassistant', device: 'Hall', base }).map(
    ({ topic, payload }) => ({
      topic,
      ...(JSON.parse(payload) as {
        unique_id: string;
        value_template?: string;
        device: { identifiers: [string] };
      }),
    }),
  );

describe('discovery by Home Assistant', () => {
  it.each([
    ['depthline', 'door', 'depthline-door'],
    ['depthline', 'front-door', 'depthline-front-door'],
    ['my_hall', 'Zone_1', 'my_hall-Zone_1'],
  ])('topic %s, zone %s: named by both', (base, zone, id) => {
    expect(messages(base, zone)).toMatchObject([
      { topic: `homeassistant/binary_sensor/${id}/config`, unique_id: id },
      { topic: `homeassistant/sensor/${id}-distance/config`, unique_id: `${id}-distance` },
    ]);
  });

  it('gives no two zones the same id', () => {
    const bases = ['a', 'a/b', 'a-b', 'a b', 'a-b-c', 'a/b-c', 'a-b/c', 'a-', 'ä', 'ö'];
    const names = ['c', 'b-c', 'b/c', 'b c', '-c', 'ä', 'ö', 'ä-distance', 'c-distance'];
    const looksHashed = ['a/b', 'a-b'].map((base) => messages(base, 'c')[0]?.unique_id.slice(2));
    const all = bases.flatMap((base) =>
      [...names, ...(looksHashed as string[])].map((zone) => messages(base, zone)),
    );
    for (const nth of [0, 1]) {
      const ids = all.map((two) => two[nth]?.unique_id);
      expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
      expect(new Set(all.map((two) => two[nth]?.topic)).size).toBe(ids.length);
    }
    const topics = all.flatMap((two) => two.map(({ topic }) => topic));
    expect(topics.filter((topic) => !/^\w+\/\w+\/[\w-]+\/config$/.test(topic))).toEqual([]);
  });

  it('gives no two topics the same device', () => {
    const bases = ['a', 'a/b', 'a-b', 'a b', 'a_b'];
    const devices = bases.map((base) => messages(base, 'c')[0]?.device.identifiers[0]);
    expect(new Set(devices).size).toBe(bases.length);
    expect(devices).toEqual(expect.arrayContaining(['a', 'a-b', 'a_b']));
  });

  it('quotes the name of a zone in the template', () => {
    expect(messages('a', "it's \\ here")[1]?.value_template).toBe(
      "{{ value_json.value.zones['it\\'s \\\\ here'].distance }}",
    );
  });
});
