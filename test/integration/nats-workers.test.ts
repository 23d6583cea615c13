import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageDirectory } from '../../src/core/entry-point.ts';
import type { DepthFrame } from '../../src/core/frame.ts';
import {
  definePipeline,
  defineSink,
  nats,
  natsSource,
  type RunSummary,
  runPipeline,
  startPipeline,
} from '../../src/index.ts';
import { type Running, start, workplace } from '../support/cli.ts';
import { countingSource } from '../support/counting-source.ts';
import { putModel } from '../support/models.ts';
import { type NatsServer, natsClient, natsServerPath, startNats } from '../support/nats-server.ts';

const frames = 150;

describe.skipIf(!natsServerPath)('three workers, one of them killed', () => {
  let server: NatsServer;
  let summary: RunSummary;
  const workers: Running[] = [];
  const seen: DepthFrame[] = [];

  beforeAll(async () => {
    server = await startNats();
    const example = (name: string) =>
      parse(readFileSync(join(packageDirectory(), `examples/${name}.yaml`), 'utf8'));
    // The streams and the order of the examples, with small pictures that count.
    const [{ nats: camera }] = example('fleet-camera').sinks;
    const target = { ...camera, servers: server.url, subject: 'depthline.pictures.front' };
    const shooting = await startPipeline(
      definePipeline({
        source: countingSource({ frames, everyMs: 10, kind: 'image', width: 8, height: 6 }),
        sinks: [nats({ ...target, stream: { ...target.stream, 'messages-per-subject': frames } })],
      }),
      // Until the workers wait for pictures.
      { paused: true },
    );
    const { nats: client, manager } = await natsClient(server);
    while (!(await manager.streams.info('PICTURES').catch(() => undefined))) await sleep(10);
    const project = workplace();
    mkdirSync(join(project, 'models'));
    putModel(join(project, 'models'), 'metres', {}, 'tiny');
    const file = join(packageDirectory(), 'examples/fleet-worker.yaml');
    const env = { NATS_SERVER: server.url, MODEL: 'tiny' };
    for (let n = 0; n < 3; n++) workers.push(start(['run', file], { cwd: project, env }));
    const waiting = async () => (await manager.consumers.info('PICTURES', 'workers')).num_waiting;
    // Each of them has asked for pictures.
    while ((await waiting().catch(() => 0)) < 3) await sleep(20);
    const [victim] = workers as [Running];
    // What it is given from now on stays with it.
    victim.child.kill('SIGSTOP');
    shooting.resume();
    await shooting.done;
    const held = async () => (await manager.consumers.info('PICTURES', 'workers')).num_ack_pending;
    while ((await held()) === 0) await sleep(20);
    victim.child.kill('SIGKILL');
    const source = example('fleet-collector').source.nats;
    const collected = runPipeline(
      definePipeline({
        source: natsSource({
          ...source,
          servers: server.url,
          subject: 'depthline.depth.front',
          consumer: { ...source.consumer, durable: 'collector' },
          order: { deadline: '60s' },
        }),
        sinks: [collect({})],
      }),
      { frames },
    );
    summary = await collected;
    await client.close();
  }, 120_000);
  afterAll(async () => {
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ finished }) => finished));
    await server?.stop();
  });

  const collect = defineSink({
    name: 'collect',
    summary: 'Keeps frames.',
    accepts: ['depth'],
    options: z.strictObject({}),
    examples: [],
    create: async () => ({ write: (frame) => void seen.push(frame as DepthFrame) }),
  });

  it('every frame arrives once, in order', () => {
    const numbers = Array.from({ length: frames }, (_, seq) => seq);
    expect(seen.map(({ origin }) => origin?.seq)).toEqual(numbers);
    expect(seen.map(({ seq }) => seq)).toEqual(numbers);
    expect(summary.branches).toMatchObject([{ captured: frames, delivered: frames, dropped: [] }]);
  });

  it('the queue of pictures is empty: what was acknowledged was stored', async () => {
    const { nats: client, manager } = await natsClient(server);
    for (;;) {
      const { state } = await manager.streams.info('PICTURES');
      if (state.messages === 0) break;
      await sleep(20);
    }
    expect((await manager.streams.info('DEPTH')).state.messages).toBe(frames);
    await client.close();
  });
});
