import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { Sink } from '../../src/core/component.ts';
import type { DataFrame } from '../../src/core/frame.ts';
import { mqtt } from '../../src/sinks/mqtt.ts';
import { dataFrame } from '../../src/testing/sample-frames.ts';
import type { ZonesValue } from '../../src/zones/zones-value.ts';
import { depthline, summaryOf, workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';
import { type Broker, hasMosquitto, listen, startBroker } from '../support/mosquitto.ts';

if (!hasMosquitto)
  console.warn('Mosquitto is not here: tests of mqtt are skipped; "make test" brings it');

async function opened(options: z.input<typeof mqtt.options>) {
  const context = testContext({ name: 'mqtt' });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await context.close();
  };
  onTestFinished(close);
  const sink = (await mqtt.create(mqtt.options.parse(options), context)) as Sink;
  return { sink, context, close };
}

const zones = (inside: boolean, event?: 'enter' | 'leave'): ZonesValue => ({
  zones: { door: { inside, distance: inside ? 0.4 : 2, since: null } },
  events: event ? [{ zone: 'door', event, distance: 0.4 }] : [],
});
const frame = (seq: number, value: unknown): DataFrame => ({
  ...(dataFrame(seq) as DataFrame),
  value,
});

it('publishes a value with zones that no topic can hold like any other data', async () => {
  let received = '';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received += data.toString('latin1');
      // Of CONNECT; what follows is acknowledged by nothing.
      if (data[0] === 0x10) socket.write(Buffer.of(0x20, 2, 0, 0));
    });
    onTestFinished(() => void socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `mqtt://127.0.0.1:${port}`;
  const { sink, context, close } = await opened({ url, topic: 'foreign', qos: 0 });
  const { events, zones: own } = zones(true);
  const sent = [{ ...own, 'hall/#': own.door }, own].map((one, seq) =>
    Promise.resolve(sink.write(frame(seq, { zones: one, events }))).catch(() => {}),
  );
  await until(() => received.includes('"seq":1') && received.includes('foreign/zones/door'));
  expect(received).toContain('"seq":0');
  expect(received).not.toContain('foreign/zones/hall');
  context.abort();
  await Promise.all(sent);
  await close();
});

describe.skipIf(!hasMosquitto)('mqtt', () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker.stop());

  it.each([0, 1, 2] as const)(
    'publishes state, changes of zones and events, QoS %d',
    async (qos) => {
      const topic = `hall/${qos}`;
      const heard = await listen(broker, `${topic}/#`);
      onTestFinished(heard.stop);
      const { sink, context, close } = await opened({ url: broker.url, topic, qos });
      await sink.write(frame(0, zones(false)));
      await sink.write(frame(1, zones(true, 'enter')));
      await sink.write(frame(2, zones(true)));
      await sink.write(frame(3, zones(false, 'leave')));
      expect(context.report()).toEqual({ frames: 4, messages: 4 + 3 + 2 });
      await close();
      await until(() => heard.of(`${topic}/status`).includes('offline'));
      expect(heard.of(`${topic}/status`)).toEqual(['online', 'offline']);
      expect(heard.of(`${topic}/zones/door`)).toEqual(['OFF', 'ON', 'OFF']);
      const events = heard.of(`${topic}/events`).map((text) => JSON.parse(text));
      expect(events.map(({ zone, event, seq }) => [zone, event, seq])).toEqual([
        ['door', 'enter', 1],
        ['door', 'leave', 3],
      ]);
      const states = heard.of(`${topic}/state`).map((text) => JSON.parse(text));
      expect(states.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
      expect(states[1].value).toEqual(zones(true, 'enter'));
    },
  );

  it('leaves the state to those who come later, but no events', async () => {
    const { sink } = await opened({ url: broker.url, topic: 'kept' });
    await sink.write(frame(5, zones(true, 'enter')));
    const heard = await listen(broker, 'kept/#');
    onTestFinished(heard.stop);
    await until(() => heard.messages().length >= 3);
    expect(heard.messages().every(({ retained }) => retained)).toBe(true);
    expect(heard.of('kept/zones/door')).toEqual(['ON']);
    expect(heard.of('kept/status')).toEqual(['online']);
    expect(heard.of('kept/events')).toEqual([]);
  });

  it('publishes any other data, with retain off without a trace', async () => {
    const { sink } = await opened({ url: broker.url, topic: 'other', retain: false });
    const heard = await listen(broker, 'other/#');
    onTestFinished(heard.stop);
    await sink.write(frame(7, { metres: 1.5 }));
    await until(() => heard.of('other/state').length > 0);
    expect(JSON.parse(heard.of('other/state')[0] as string)).toMatchObject({
      seq: 7,
      value: { metres: 1.5 },
    });
    const later = await listen(broker, 'other/#');
    onTestFinished(later.stop);
    await until(() => later.of('other/status').length > 0);
    expect(later.of('other/state')).toEqual([]);
  });

  it('announces zones to Home Assistant', async () => {
    const { sink } = await opened({
      url: broker.url,
      topic: 'hall/a',
      'home-assistant': { device: 'Hall' },
    });
    await sink.write(frame(0, zones(false)));
    const heard = await listen(broker, 'homeassistant/#');
    onTestFinished(heard.stop);
    await until(() => heard.messages().length >= 2);
    const payload = (component: string) =>
      heard.messages().find(({ topic }) => topic.startsWith(`homeassistant/${component}/`))
        ?.payload as string;
    expect(JSON.parse(payload('binary_sensor'))).toMatchObject({
      state_topic: 'hall/a/zones/door',
      availability_topic: 'hall/a/status',
      device: { name: 'Hall', identifiers: [expect.stringMatching(/^hall-a-[\da-f]{8}$/)] },
    });
    expect(JSON.parse(payload('sensor'))).toMatchObject({
      state_topic: 'hall/a/state',
      unit_of_measurement: 'm',
      value_template: "{{ value_json.value.zones['door'].distance }}",
    });
  });

  it('says offline when it is killed', async () => {
    const heard = await listen(broker, 'will/#');
    onTestFinished(heard.stop);
    const { context } = await opened({ url: broker.url, topic: 'will' });
    await until(() => heard.of('will/status').includes('online'));
    context.abort();
    await context.close();
    await until(() => heard.of('will/status').includes('offline'));
  });

  it('names a broker that is not there, or refuses', async () => {
    await expect(opened({ url: 'mqtt://127.0.0.1:1' })).rejects.toThrow(
      /no MQTT broker can be reached at mqtt:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): start it/,
    );
    await expect(opened({ url: 'mqtt://nowhere.invalid' })).rejects.toThrow(
      /no MQTT broker can be reached/,
    );
    const folder = workplace();
    const passwords = join(folder, 'passwords');
    writeFileSync(passwords, '');
    const strict = await startBroker(['allow_anonymous false', `password_file ${passwords}`]);
    onTestFinished(strict.stop);
    await expect(opened({ url: strict.url, username: 'u', password: 'hunter22' })).rejects.toThrow(
      /refuses this client \(.*\): set username and password/,
    );
  });

  it('waits for a broker that was killed, and tells it everything again', async () => {
    const own = await startBroker();
    onTestFinished(own.stop);
    const { sink, context } = await opened({ url: own.url, topic: 'again' });
    await sink.write(frame(0, zones(true, 'enter')));
    await own.kill();
    await until(() => context.logs.some(({ message }) => /has lost the MQTT broker/.test(message)));
    const waiting = sink.write(frame(1, zones(false, 'leave')));
    await own.start();
    await waiting;
    const heard = await listen(own, 'again/#');
    onTestFinished(heard.stop);
    await until(
      () => heard.of('again/zones/door').length > 0 && heard.of('again/status').length > 0,
    );
    expect(heard.of('again/zones/door')).toEqual(['OFF']);
    expect(heard.of('again/status')).toEqual(['online']);
    expect(context.report()).toMatchObject({ frames: 2 });
    const said = context.logs
      .map(({ message }) => message)
      .filter((text) => /broker at/.test(text));
    expect(said.at(-1)).toMatch(/is back/);
  });

  it('ends with what was not acknowledged when the run is stopped', async () => {
    const own = await startBroker();
    onTestFinished(own.stop);
    const { sink, context } = await opened({ url: own.url });
    await own.kill();
    const waiting = (sink.write(frame(0, 1)) as Promise<void>).then(
      () => 'delivered',
      () => 'failed',
    );
    context.abort();
    expect(await waiting).toBe('failed');
    await context.close();
  });

  it('carries an obstacle of a pipeline from the renderer to mosquitto_sub', async () => {
    const heard = await listen(broker, 'demo/#');
    onTestFinished(heard.stop);
    const folder = workplace({
      'zones.yaml': `
source:
  synthetic-room: { width: 160, height: 120, frames: 6, motion: static }
operators:
  - estimate-depth
sinks:
  - mqtt: { url: ${broker.url}, topic: demo }
    operators:
      - zones:
          zones:
            all: { box: [0, 0, 1, 1], within: 100 }
            nothing: { box: [0, 0, 1, 1], within: 0.01 }
          enter-after: 50ms
`,
    });
    const finished = await depthline(['run', join(folder, 'zones.yaml'), '--stats', 'json']);
    expect(finished.code).toBe(0);
    expect(summaryOf(finished).branches[0]).toMatchObject({ delivered: 6 });
    await until(() => heard.of('demo/status').includes('offline'));
    expect(heard.of('demo/zones/all')).toEqual(['OFF', 'ON']);
    expect(heard.of('demo/zones/nothing')).toEqual(['OFF']);
    expect(heard.of('demo/events')).toHaveLength(1);
  });

  it.each([
    ['http://host', /not the address of an MQTT broker/],
    ['mqtt://', /not the address of an MQTT broker/],
    ['broker.local', /not the address of an MQTT broker/],
  ])('refuses the url %s', (url, message) => {
    expect(mqtt.options.safeParse({ url }).error?.message).toMatch(message);
  });

  it.each(['a/+/b', '#', '$SYS/x', '/a', 'a//b'])('refuses the topic %s', (topic) => {
    expect(mqtt.options.safeParse({ url: 'mqtt://h', topic }).success).toBe(false);
  });

  it('warns of a password that anybody on the network can read', () => {
    const warnings = (url: string, more: object = {}) =>
      mqtt.warnings?.(mqtt.options.parse({ url, ...more }), '.');
    expect(warnings('mqtt://user:secret@broker.example')).toHaveLength(1);
    expect(warnings('ws://broker.example', { username: 'u', password: 'secret' })).toHaveLength(1);
    expect(warnings('mqtts://user:secret@broker.example')).toEqual([]);
    expect(warnings('mqtt://user:secret@127.0.0.1')).toEqual([]);
    expect(warnings('mqtt://broker.example')).toEqual([]);
  });
});
