import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import {
  imbalances,
  leftBehind,
  type Running,
  start,
  startProcess,
  summaryOf,
  workplace,
} from '../support/cli.ts';
import { depthFrame } from '../support/frames.ts';
import { freeEndpoint, message, publisher, sendUntil } from '../support/topic.ts';

const examples = join(packageDirectory(), 'examples');

interface Zones {
  readonly left: number;
  readonly middle: number;
  readonly right: number;
  readonly tooClose: readonly string[];
}

/** What comes on the topic `obstacles` first; the publisher is stopped then. */
async function obstacles(endpoint: string, publisher: Running): Promise<Zones> {
  const stop = new AbortController();
  void publisher.finished.then(() => stop.abort());
  for await (const frame of subscribeDepth(endpoint, { topic: 'obstacles', signal: stop.signal })) {
    publisher.child.kill('SIGINT');
    if (frame.kind === 'data') return frame.value as Zones;
  }
  throw new Error(`nothing came: ${publisher.stderr}`);
}

function expectZones({ left, middle, right, tooClose }: Zones): void {
  for (const metres of [left, middle, right]) {
    expect(metres).toBeGreaterThan(0.1);
    expect(metres).toBeLessThan(10);
  }
  expect(tooClose.every((zone) => ['left', 'middle', 'right'].includes(zone))).toBe(true);
}

describe('the nearest obstacle', () => {
  it('by an operator in code', async () => {
    const endpoint = await freeEndpoint();
    const script = join(examples, 'nearest-obstacle-in-code.js');
    const running = startProcess(process.execPath, [script, endpoint, '600'], { cwd: workplace() });
    expectZones(await obstacles(endpoint, running));
    await running.finished;
    expect(await leftBehind(running)).toEqual([]);
  });

  it('in a pipeline file by `use`', async () => {
    const endpoint = await freeEndpoint();
    const args = ['run', join(examples, 'nearest-obstacle.yaml'), '--stats', 'json'];
    const env = { DEPTHLINE_PORT: endpoint.split(':').at(-1) };
    const running = start(args, { cwd: workplace(), env });
    expectZones(await obstacles(endpoint, running));
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    expect(imbalances(summaryOf(finished))).toEqual([0]);
  });
});

describe('subscriber.js', () => {
  it('prints the nearest depth of each frame', async () => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 10, (n) => {
      const frame = depthFrame(8, 6, n, (x, y) => (x === 0 && y === 0 ? 0 : 1.25 + x));
      return message({ ...frame, capturedAt: systemClock.wall() });
    });
    const script = join(examples, 'subscriber.js');
    const { code, stdout } = await startProcess(process.execPath, [script, endpoint, '3']).finished;
    done.abort();
    await sending;
    socket.close();
    expect(code).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^frame \d+: nearest 1\.25 m$/);
  });
});
