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
    const begin = () => {
      const worker = start(['run', file], { cwd: project, env, withinMs: 400_000 });
      workers.push(worker);
      return worker;
    };
    const waiting = async () => (await manager.consumers.info('PICTURES', 'workers')).num_waiting;
    const victim = begin();
    // The first has asked for pictures before the others do: on a busy machine one of them may ask twice.
    while ((await waiting().catch(() => 0)) < 1) await sleep(20);
    for (let n = 1; n < 3; n++) begin();
    while ((await waiting()) < 3) await sleep(20);
    // What it is given from now on stays with it.
    victim.child.kill('SIGSTOP');
    shooting.resume();
    await shooting.done;
    const held = async () => (await manager.consumers.info('PICTURES', 'workers')).num_ack_pending;
    while ((await held()) === 0) await sleep(20);
    victim.child.kill('SIGKILL');
    summary = await runPipeline(collector('front', seen), { frames });
    await client.close();
  }, 120_000);
  afterAll(async () => {
    // It may still be stopped, if all has not gone well.
    workers[0]?.child.kill('SIGKILL');
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ finished }) => finished));
    await server?.stop();
  });

  const example = (name: string) =>
    parse(readFileSync(join(packageDirectory(), `examples/${name}.yaml`), 'utf8'));

  /** The stream of the example, with small pictures that count. */
  function camera(name: string) {
    const [{ nats: target }] = example('fleet-camera').sinks;
    const stream = { ...target.stream, 'messages-per-subject': frames };
    return definePipeline({
      source: countingSource({ frames, everyMs: 10, kind: 'image', width: 8, height: 6 }),
      sinks: [
        nats({ ...target, servers: server.url, subject: `depthline.pictures.${name}`, stream }),
      ],
    });
  }

  /** The order of the example. */
  function collector(name: string, into: DepthFrame[]) {
    const source = example('fleet-collector').source.nats;
    const collect = defineSink({
      name: 'collect',
      summary: 'Keeps frames.',
      accepts: ['depth'],
      options: z.strictObject({}),
      examples: [],
      create: async () => ({ write: (frame) => void into.push(frame as DepthFrame) }),
    });
    return definePipeline({
      source: natsSource({
        ...source,
        servers: server.url,
        subject: `depthline.depth.${name}`,
        consumer: { ...source.consumer, durable: `collector-${name}` },
        order: { deadline: '60s' },
      }),
      sinks: [collect({})],
    });
  }

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

  it('the server killed under load: every frame that it has acknowledged arrives once, in order', async () => {
    const rear: DepthFrame[] = [];
    // It blocks while the server is away: all are acknowledged in the end.
    const shooting = runPipeline(camera('rear'));
    const { nats: client, manager } = await natsClient(server);
    const stored = async () => (await manager.streams.info('DEPTH')).state.messages - frames;
    // Pictures wait, are worked on, and are done.
    while ((await stored()) < 20) await sleep(5);
    await client.close();
    await server.kill();
    await sleep(1500);
    await server.restart();
    const collected = await runPipeline(collector('rear', rear), { frames });
    expect((await shooting).branches).toMatchObject([{ captured: frames, delivered: frames }]);
    const numbers = Array.from({ length: frames }, (_, seq) => seq);
    expect(rear.map(({ origin }) => origin?.seq)).toEqual(numbers);
    expect(collected.branches).toMatchObject([{ delivered: frames, dropped: [] }]);
    const { nats: again, manager: after } = await natsClient(server);
    while ((await after.streams.info('PICTURES')).state.messages > 0) await sleep(20);
    expect((await after.streams.info('DEPTH')).state.messages).toBe(2 * frames);
    await again.close();
    for (const { child } of workers.slice(1)) expect(child.exitCode).toBeNull();
  }, 120_000);
});
