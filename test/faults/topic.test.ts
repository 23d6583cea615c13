import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import {
  imbalances,
  leftBehind,
  type Running,
  reportsOf,
  start,
  summaryOf,
  workplace,
} from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import { pythonWith } from '../support/python.ts';
import { freeEndpoint } from '../support/topic.ts';
import { longFrame, rawSubscriber, shortFrame } from '../support/zmtp.ts';

/** More in the long form: FAULT_ROUNDS=1000 npx vitest run test/faults */
const rounds = Number(process.env.FAULT_ROUNDS ?? 100);
const python = pythonWith('zmq');

/** Reads `count` messages of a topic, or all, and prints the header of each; made of pyzmq alone. */
const reader = `
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe(b'depth')
count = int(sys.argv[2])
while count != 0:
    print(socket.recv_multipart()[1].decode(), flush=True)
    count -= 1
`;

/** Subscribes, and then never reads. */
const sleeper = `
import sys, time, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.set(zmq.RCVHWM, 1)
socket.connect(sys.argv[1])
socket.subscribe(b'')
print('ready', flush=True)
time.sleep(600)
`;

/** Subscribes, reads one message, and leaves, repeatedly. */
const visitor = `
import sys, zmq
context = zmq.Context()
for n in range(int(sys.argv[2])):
    socket = context.socket(zmq.SUB)
    socket.connect(sys.argv[1])
    socket.subscribe(b'')
    if n % 3 == 0:
        socket.recv_multipart()
    socket.close(0)
print('done', flush=True)
`;

interface Header {
  readonly seq: number;
  readonly dropped: number;
  readonly capturedAt: string;
  readonly publishedAt: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A pipeline that publishes pictures of 147 kB as depth: `frames` of them, or until it is stopped. */
async function publishing(
  source: string,
  sink = '',
  at?: string,
): Promise<{ running: Running; endpoint: string }> {
  const endpoint = at ?? (await freeEndpoint());
  const pipeline = `
source:
  test-pattern: { width: 256, height: 192, ${source} }
sinks:
  - zeromq: { bind: "${endpoint}", topic: depth${sink} }
`;
  const running = start(['run', 'p.yaml', '--stats', 'json'], {
    cwd: workplace({ 'p.yaml': pipeline }),
  });
  closing.push(async () => {
    running.child.kill('SIGKILL');
    await running.finished;
  });
  await until(() => /"captured":[1-9]/.test(running.stdout) || sink !== '');
  return { running, endpoint };
}

async function stop(running: Running) {
  running.child.kill('SIGINT');
  const finished = await running.finished;
  expect(finished.code).toBe(0);
  expect(imbalances(summaryOf(finished))).toEqual([0]);
  expect(await leftBehind(running)).toEqual([]);
  return summaryOf(finished);
}

function script(code: string, ...args: string[]) {
  const child = spawn(python, ['-c', code, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  closing.push(() => child.kill('SIGKILL'));
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function read(endpoint: string, count: number): Promise<Header[]> {
  const { lines } = script(reader, endpoint, String(count));
  const headers: Header[] = [];
  for await (const line of { [Symbol.asyncIterator]: () => lines }) headers.push(JSON.parse(line));
  return headers;
}

function expectHealthy(headers: readonly Header[]): void {
  const rising = headers.map(({ seq }) => seq);
  expect(rising).toEqual(rising.toSorted((a, b) => a - b));
  for (const { capturedAt, publishedAt } of headers) {
    expect(BigInt(publishedAt)).toBeGreaterThanOrEqual(BigInt(capturedAt));
  }
}

/** Tolerance between the wall clocks of two processes. */
const clockSkewMs = 100;
const camera = 'fps: 100, realtime: true';

describe('a topic with bad subscribers', () => {
  it('queues at most its high-water mark for one that never reads, and serves others', async () => {
    const peak = async (stuck: boolean) => {
      const { running, endpoint } = await publishing(camera);
      if (stuck) {
        const sleepers = Array.from({ length: 6 }, () => script(sleeper, endpoint));
        await Promise.all(sleepers.map(({ lines }) => lines.next()));
      }
      const headers = await read(endpoint, 300);
      expectHealthy(headers);
      const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
      await stop(running);
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
    };
    const [alone, besideStuck] = await Promise.all([peak(false), peak(true)]);
    // The six are sent 44 MB each, 264 MB in all; a few messages and the buffers of their sockets remain.
    expect(besideStuck - alone).toBeLessThan(120);
  });

  it('survives subscribers that come and go, and keeps none of their descriptors', async () => {
    const { running, endpoint } = await publishing(camera);
    const descriptors = () => readdirSync(`/proc/${running.child.pid}/fd`).length;
    await read(endpoint, 3);
    const before = descriptors();
    const { child, lines } = script(visitor, endpoint, String(rounds));
    expect((await lines.next()).value).toBe('done');
    await once(child, 'close');
    expectHealthy(await read(endpoint, 20));
    await until(() => descriptors() <= before + 2);
    await stop(running);
  });

  it('survives subscribers that are killed, stay half-open, or send garbage', async () => {
    const { running, endpoint } = await publishing(camera);
    const { hostname, port } = new URL(endpoint);
    for (let i = 0; i < Math.min(60, rounds); i++) {
      const socket = connect(Number(port), hostname).on('error', () => {});
      closing.push(() => socket.destroy());
      await once(socket, 'connect');
      if (i % 2 === 0) socket.write(randomBytes(1 + 97 * i));
    }
    const { child, lines } = script(reader, endpoint, '-1');
    await lines.next();
    child.kill('SIGKILL');
    await once(child, 'close');
    expectHealthy(await read(endpoint, 50));
    await stop(running);
  });
});

async function handshaken(endpoint: string): Promise<Socket> {
  const socket = await rawSubscriber(endpoint);
  closing.push(() => socket.destroy());
  return socket;
}

describe('a topic whose subscribers send too much', () => {
  it('disconnects one that announces a gigabyte', async () => {
    const { running, endpoint } = await publishing(camera);
    const socket = await handshaken(endpoint);
    const closed = once(socket, 'close');
    socket.write(longFrame(2n ** 30n));
    await closed;
    expectHealthy(await read(endpoint, 20));
    await stop(running);
  });

  it.each(['always', 'subscribers'])(
    'with demand: %s continues for others while one subscribes to tens of thousands of topics',
    async (demand) => {
      const { running, endpoint } = await publishing(camera, `, demand: ${demand}`);
      const { lines } = script(reader, endpoint, '-1');
      const next = async () => JSON.parse((await lines.next()).value) as Header;
      const headers = [await next()];
      const socket = await handshaken(endpoint);
      for (let block = 0; block < 50; block++) {
        const wishes = Array.from({ length: 1000 }, (_, n) => `\x01${block}-${n}`);
        socket.write(Buffer.concat(wishes.map((wish) => shortFrame(Buffer.from(wish)))));
        headers.push(await next());
      }
      socket.destroy();
      while (headers.length < 80) headers.push(await next());
      expectHealthy(headers);
      await stop(running);
    },
  );
});

describe('a publisher that is killed and restarts', () => {
  it('is read again by its subscribers, who see it by the fall of seq', async () => {
    const { running, endpoint } = await publishing(camera);
    const { lines } = script(reader, endpoint, '-1');
    const next = async () => JSON.parse((await lines.next()).value) as Header;
    let last = await next();
    // More than the new one, which is slow, publishes until the subscriber has found it.
    while (last.seq < 150) last = await next();
    running.child.kill('SIGKILL');
    await running.finished;
    const again = await publishing('fps: 5, realtime: true', '', endpoint);
    let first = await next();
    for (; first.seq > last.seq; first = await next()) last = first;
    expect(BigInt(first.capturedAt)).toBeGreaterThan(BigInt(last.publishedAt));
    const headers = [first];
    while (headers.length < 5) headers.push(await next());
    expectHealthy(headers);
    await stop(again.running);
  });
});

describe('a topic with demand: subscribers', () => {
  it('is idle until a reader subscribes, and again when it has left', async () => {
    const { running, endpoint } = await publishing(camera, ', demand: subscribers');
    const last = () => reportsOf(running).at(-1) as unknown as { heldBy: string[] } | undefined;
    await until(() => (last()?.heldBy.length ?? 0) > 0);
    expect(last()).toMatchObject({ processed: 0, heldBy: ['a subscriber'] });
    const before = BigInt(Date.now() - clockSkewMs) * 1_000_000n;
    const headers = await read(endpoint, 50);
    expectHealthy(headers);
    expect(BigInt(headers[0]?.capturedAt ?? 0)).toBeGreaterThan(before);
    await until(() => (last()?.heldBy.length ?? 0) > 0);
    const { branches } = await stop(running);
    expect(branches[0]?.delivered).toBeGreaterThanOrEqual(50);
  });
});
