import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pull } from 'zeromq';
import { builtins } from '../../src/builtins.ts';
import type { SinkDefinition } from '../../src/core/component.ts';
import { dataFrame, imageFrame } from '../../src/testing/sample-frames.ts';
import { conformsAsSink, type SinkSubject } from '../../src/testing.ts';
import { framesIn } from '../support/mcap.ts';
import { type Broker, hasMosquitto, startBroker } from '../support/mosquitto.ts';
import { type NatsServer, natsServerPath, startNats, storedCount } from '../support/nats-server.ts';
import { type OwnMaster, openMaster } from '../support/own-master.ts';
import { processesOf } from '../support/processes.ts';
import { openScreen, type Screen } from '../support/screen.ts';
import { decodeVideo } from '../support/video.ts';

const before = { ...process.env };
let screen: Screen;
let master: OwnMaster;
let natsServer: NatsServer | undefined;
let natsStreams = 0;
/** Without Debian's, one that runs is used. */
let broker: Broker | undefined;
beforeAll(async () => {
  master = await openMaster();
  if (hasMosquitto) broker = await startBroker();
  screen = await openScreen();
  if (natsServerPath) natsServer = await startNats();
  process.env.DISPLAY = screen.display;
  delete process.env.WAYLAND_DISPLAY;
});
afterAll(async () => {
  master.close();
  await natsServer?.stop();
  await broker?.stop();
  await screen.stop();
  process.env = before;
  for (const { socket } of receivers.values()) socket.close();
  expect(processesOf('output-host')).toEqual([]);
});

/** By endpoint: what has arrived at the other end. */
const receivers = new Map<string, { socket: Pull; count: number }>();

async function receiver(): Promise<string> {
  const socket = new Pull();
  await socket.bind('tcp://127.0.0.1:*');
  const endpoint = socket.lastEndpoint as string;
  const entry = { socket, count: 0 };
  receivers.set(endpoint, entry);
  const read = async () => {
    for await (const _ of socket) entry.count++;
  };
  void read().catch(() => {});
  return endpoint;
}

const subjects: Readonly<Record<string, SinkSubject>> = {
  discard: { options: {} },
  display: {
    options: {},
    frame: (seq) => imageFrame(64, 48, seq),
    delivered: (context) => context.report().frames as number,
  },
  file: {
    options: { directory: 'out', format: 'npy' },
    delivered: ({ baseDirectory }) => {
      const index = readFileSync(join(baseDirectory, 'out', 'index.csv'), 'utf8');
      return index.trimEnd().split('\n').length - 1;
    },
    refused: dataFrame(),
  },
  foxglove: {
    options: { port: 0 },
    delivered: (context) => context.report().frames as number,
  },
  mcap: {
    options: { path: 'out.mcap' },
    delivered: ({ baseDirectory }) => framesIn(join(baseDirectory, 'out.mcap')),
  },
  nats: {
    options: () => {
      const name = `S${natsStreams++}`;
      const target = { servers: natsServer?.url, subject: name, stream: { name } };
      return { ...target, delivery: 'stored' };
    },
    delivered: (context) =>
      storedCount(natsServer as NatsServer, context.report().subject as string),
  },
  mqtt: {
    options: () => ({ url: broker?.url ?? 'mqtt://127.0.0.1:1883' }),
    frame: (seq) => dataFrame(seq),
    delivered: (context) => context.report().frames as number,
  },
  ros1: {
    options: () => ({ master: master.uri, host: '127.0.0.1' }),
    delivered: (context) => context.report().frames as number,
  },
  video: {
    options: { path: 'out.mkv' },
    frame: (seq) => imageFrame(64, 48, seq),
    delivered: ({ baseDirectory }) => decodeVideo(join(baseDirectory, 'out.mkv')).pts.length,
  },
  web: {
    options: { port: 0 },
    delivered: (context) => context.report().frames as number,
  },
  zeromq: {
    options: async () => ({ connect: await receiver(), type: 'push' }),
    delivered: async (context) => {
      const entry = receivers.get(context.report().endpoint as string);
      return entry?.count ?? 0;
    },
  },
};

test('every sink is tested', () => {
  expect(Object.keys(subjects).sort()).toEqual(builtins.names('sink'));
});

for (const [name, subject] of Object.entries(subjects)) {
  // Where Debian's nats-server cannot be had.
  if (name === 'nats' && !natsServerPath) continue;
  const definition = builtins.get(name, 'sink') as SinkDefinition;
  conformsAsSink(definition, subject, { describe, test });
}
