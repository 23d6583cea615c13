import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import type { SourceDefinition } from '../../src/core/component.ts';
import type { ImageFrame } from '../../src/core/frame.ts';
import { encodeNpy } from '../../src/depth/npy.ts';
import { images } from '../../src/sources/images.ts';
import { depthFrame, imageFrame } from '../../src/testing/sample-frames.ts';
import { conformsAsSource, type SourceSubject } from '../../src/testing.ts';
import { testContext } from '../support/context.ts';
import { makeVideo } from '../support/gstreamer.ts';
import { recordFrames } from '../support/mcap.ts';
import {
  type NatsServer,
  natsClient,
  natsServerPath,
  publishFrame,
  startNats,
} from '../support/nats-server.ts';
import { type OwnMaster, openMaster, publishFrames } from '../support/own-master.ts';
import { writePicture } from '../support/pictures.ts';
import { processesOf } from '../support/processes.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

const folder = mkdtempSync(join(tmpdir(), 'sources-'));
const closings: (() => unknown)[] = [];
let rtspPort = 0;
let endpoint = '';
let master: OwnMaster;
let natsServer: NatsServer | undefined;
let natsDurables = 0;

beforeAll(async () => {
  mkdirSync(join(folder, 'pictures'));
  for (let n = 0; n < 5; n++) await writePicture(join(folder, 'pictures', `${n}.png`), 16, 12, n);
  makeVideo(join(folder, 'clip.mkv'), { frames: 6 });
  await recordFrames(
    join(folder, 'run.mcap'),
    [0, 1, 2, 3, 4].map((n) => imageFrame(16, 12, n)),
  );
  rtspPort = await startRtspServer();
  endpoint = await startPublisher();
  if (natsServerPath) natsServer = await startNatsPublisher();
  master = await openMaster();
  closings.push(() => master.close());
  closings.push((await publishFrames(master, 5, (seq) => imageFrame(16, 12, seq))).stop);
});
afterAll(async () => {
  for (const close of closings.reverse()) await close();
  rmSync(folder, { recursive: true });
  // No capture process outlives its source.
  expect(processesOf('capture-host')).toEqual([]);
});

async function startRtspServer(): Promise<number> {
  const script = fileURLToPath(new URL('../support/rtsp-server.py', import.meta.url));
  const server: ChildProcess = spawn('/usr/bin/python3', [script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closings.push(async () => {
    if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'close');
  });
  const [port] = await once(server.stdout as NonNullable<typeof server.stdout>, 'data');
  return Number(port);
}

async function startPublisher(): Promise<string> {
  const { socket, endpoint } = await publisher();
  const done = new AbortController();
  const sending = sendUntil(socket, done.signal, 5, (n) => message(depthFrame(4, 3, n)));
  closings.push(async () => {
    done.abort();
    await sending;
    socket.close();
  });
  return endpoint;
}

/** Publishes live on one subject without end, and five frames into a stream. */
async function startNatsPublisher(): Promise<NatsServer> {
  const server = await startNats();
  const { nats, manager } = await natsClient(server);
  await manager.streams.add({ name: 'FIVE', subjects: ['five'] });
  for (let n = 0; n < 5; n++) publishFrame(nats, 'five', depthFrame(4, 3, n));
  let n = 0;
  const timer = setInterval(() => publishFrame(nats, 'live', depthFrame(4, 3, n++)), 5);
  closings.push(async () => {
    clearInterval(timer);
    await nats.close();
    await server.stop();
  });
  return server;
}

const line = 'videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48';

const subjects: Readonly<Record<string, SourceSubject>> = {
  gstreamer: {
    options: { launch: line, live: false },
    frames: 6,
    failing: { launch: 'filesrc location=/nonexistent ! decodebin', live: false },
  },
  images: {
    options: () => ({ path: join(folder, 'pictures') }),
    frames: 5,
    failing: { path: '/nonexistent' },
  },
  mcap: {
    options: () => ({ path: join(folder, 'run.mcap') }),
    frames: 5,
    failing: { path: '/nonexistent.mcap' },
  },
  nats: {
    options: () => ({ servers: natsServer?.url, subject: 'live' }),
    failing: { servers: 'nats://127.0.0.1:1' },
  },
  ros1: {
    options: () => ({ topic: '/camera/image_raw', master: master.uri, host: '127.0.0.1' }),
    failing: { topic: '/camera/image_raw', master: 'http://127.0.0.1:9' },
  },
  rosbag: {
    options: { path: fileURLToPath(new URL('../fixtures/ros1/pictures.bag', import.meta.url)) },
    frames: 5,
    failing: { path: '/nonexistent.bag' },
  },
  rtsp: {
    options: () => ({
      url: `rtsp://127.0.0.1:${rtspPort}/test`,
      protocol: 'tcp',
      latency: '50ms',
    }),
  },
  stereo: {
    options: () => {
      const pictures = { path: join(folder, 'pictures') };
      const eye = { definition: images, options: images.options.parse(pictures) };
      return { left: eye, right: eye, baseline: 0.1 };
    },
    frames: 5,
  },
  'synthetic-room': { options: { width: 32, height: 24, frames: 4 }, frames: 4 },
  'test-pattern': { options: { width: 64, height: 48, frames: 6 }, frames: 6 },
  'video-file': {
    options: () => ({ path: join(folder, 'clip.mkv') }),
    frames: 6,
    failing: { path: '/nonexistent.mkv' },
  },
  zeromq: {
    options: () => ({ connect: endpoint }),
    failing: { connect: 'no endpoint' },
  },
};

/** Cameras that this machine lacks: a live launch line takes the same way. */
const cameras = ['csi-camera', 'usb-camera'];

test('every source is tested', () => {
  expect([...Object.keys(subjects), ...cameras].sort()).toEqual(builtins.names('source'));
});

for (const [name, subject] of Object.entries(subjects)) {
  // Where Debian's nats-server cannot be had.
  if (name === 'nats' && !natsServerPath) continue;
  conformsAsSource(source(name), subject, { describe, test });
}

describe('recorded depth', () => {
  beforeAll(async () => {
    for (let n = 0; n < 3; n++) {
      const data = encodeNpy(depthFrame(4, 3, n).data, [3, 4]);
      mkdirSync(join(folder, 'depth'), { recursive: true });
      writeFileSync(join(folder, 'depth', `${n}.npy`), data);
    }
  });
  conformsAsSource(
    source('images'),
    { options: () => ({ path: join(folder, 'depth'), as: 'depth' }), frames: 3 },
    { describe, test },
  );
});

describe('depth of a launch line', () => {
  const launch = 'videotestsrc num-buffers=6 ! video/x-raw,format=GRAY16_LE,width=9,height=6';
  const options = { launch, format: 'depth', live: false };
  conformsAsSource(source('gstreamer'), { options, frames: 6 }, { describe, test });
});

describe('frames say which part of the source’s picture they show', () => {
  // What a publisher does not say cannot be known.
  const others = Object.entries(subjects).filter(([name]) => !['nats', 'zeromq'].includes(name));
  test.each(others)('%s', async (name, { options }) => {
    const context = testContext();
    const given = typeof options === 'function' ? await options() : options;
    const { options: schema, create } = source(name);
    const frame = await firstValueFrom(await create(schema.parse(given), context));
    const { width, height } = frame as ImageFrame;
    expect(frame.view).toEqual({ left: 0, top: 0, width, height, source: { width, height } });
    await context.close();
  });
});

describe.skipIf(!natsServerPath)('a stream of NATS', () => {
  const options = () => ({
    servers: natsServer?.url,
    subject: 'five',
    consumer: { stream: 'FIVE', durable: `d${natsDurables++}`, 'at-end': 'stop' },
  });
  conformsAsSource(source('nats'), { options, frames: 5 }, { describe, test });
});

describe('in place of a camera', () => {
  const launch = 'videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=60/1';
  conformsAsSource(source('gstreamer'), { options: { launch } }, { describe, test });
});

function source(name: string): SourceDefinition {
  return builtins.get(name, 'source') as SourceDefinition;
}
