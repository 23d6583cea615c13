import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definePipeline, nats, type RunSummary, runPipeline } from '../../src/index.ts';
import { countingSource } from '../support/counting-source.ts';
import { type CutNetwork, cutNetwork } from '../support/cut-network.ts';
import {
  type NatsServer,
  natsClient,
  natsServerPath,
  startNats,
  storedIn,
} from '../support/nats-server.ts';

const frames = 200;

/** A robot with a server of its own, and the archive behind a network that fails. */
describe.skipIf(!natsServerPath)('a leaf node across a cut network', () => {
  let network: CutNetwork;
  let hub: NatsServer;
  let leaf: NatsServer;
  let summary: RunSummary;
  let duringCut = 0;

  beforeAll(async () => {
    network = await cutNetwork();
    hub = await startNats(
      `server_name: hub\nleafnodes { host: "${network.hubAddress}", port: ${network.hubPort} }`,
      { domain: 'hub', run: network.inside },
    );
    leaf = await startNats(
      `server_name: leaf\nleafnodes { reconnect: 1, remotes: [{ url: "nats-leaf://${network.leafTarget}" }] }`,
      { domain: 'leaf' },
    );
    const { nats: client, manager } = await natsClient(leaf);
    const archive = await natsClient(leaf, 'hub');
    const target = { servers: leaf.url, subject: 'robot.depth.front' };
    const running = runPipeline(
      definePipeline({
        source: countingSource({ frames, everyMs: 10 }),
        sinks: [nats({ ...target, delivery: 'stored', stream: { name: 'ROBOT' } })],
      }),
    );
    const onRobot = async () =>
      (await manager.streams.info('ROBOT').catch(() => undefined))?.state.messages ?? 0;
    const onHub = async () =>
      (await archive.manager.streams.info('ARCHIVE').catch(() => undefined))?.state.messages ?? 0;
    while ((await onRobot()) === 0) await sleep(10);
    while (!(await created(archive.manager))) await sleep(100);
    while ((await onHub()) === 0) await sleep(10);
    network.cut();
    summary = await running;
    duringCut = await onRobot();
    network.restore();
    while ((await onHub()) < frames) await sleep(50);
    await client.close();
    await archive.nats.close();
  }, 120_000);
  afterAll(async () => {
    await leaf?.stop();
    await hub?.stop();
    network?.close();
  });

  it('the robot goes on storing, and nothing fails', () => {
    expect(duringCut).toBe(frames);
    expect(summary.branches).toMatchObject([{ delivered: frames, failed: 0, dropped: [] }]);
  });

  it('what was stored meanwhile arrives late, none lost, none twice', async () => {
    const { nats: client, manager } = await natsClient(leaf, 'hub');
    const messages = await storedIn(manager, 'ARCHIVE');
    const seqs = messages.map(({ header }) => Number(header.get('Nats-Msg-Id').split('-')[1]));
    expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: frames }, (_, n) => n));
    await client.close();
  });
});

async function created(manager: Awaited<ReturnType<typeof natsClient>>['manager']) {
  const external = { api: '$JS.leaf.API', deliver: '' };
  const config = { name: 'ARCHIVE', mirror: { name: 'ROBOT', external } };
  // The two servers need a moment to find each other.
  return manager.streams.add(config).catch(() => undefined);
}
