import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { web } from '../../src/sinks/web.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import {
  closeAll,
  connect,
  get,
  isWanted,
  openWeb,
  type Page,
  refusal,
  watch,
} from '../support/live-socket.ts';

afterEach(closeAll);

describe('web', () => {
  it('serves the page with a policy that allows nothing of others', async () => {
    const { address } = await openWeb();
    const page = await get(address);
    expect(page).toMatchObject({ status: 200 });
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
    });
    const [script] = /assets\/index-[\w-]+\.js/.exec(page.body) ?? [];
    expect(await get(address + script)).toMatchObject({
      headers: { 'content-type': 'text/javascript; charset=utf-8' },
    });
    expect(await get(`${address}../package.json`)).toMatchObject({ status: 404 });
    expect(await get(`${address}assets/%2e%2e/%2e%2e/index.js`)).toMatchObject({ status: 404 });
    expect(await get(address, {}, 'POST')).toMatchObject({ status: 405 });
  });

  it('sends each frame to the pages that watch', async () => {
    const opened = await openWeb();
    const pages = [await watch(opened), await watch(opened)];
    await until(() => isWanted(opened) === true);
    for (let seq = 0; seq < 5; seq++) {
      await opened.sink.write(depthFrame(8, 6, seq));
      await until(() => pages.every(({ seqs }) => seqs.at(-1) === seq));
    }
    expect(pages.map(({ seqs }) => seqs)).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
    expect(opened.context.report()).toMatchObject({ frames: 5, sent: 10, notSent: 0, clients: 2 });
  });

  it('wants frames only while a page watches', async () => {
    const opened = await openWeb();
    const seen: boolean[] = [];
    opened.sink.wanted?.subscribe((wanted) => seen.push(wanted));
    const page = await watch(opened);
    await until(() => seen.at(-1) === true);
    page.socket.send(JSON.stringify({ type: 'watch', watching: false }));
    await until(() => seen.at(-1) === false);
    page.socket.send(JSON.stringify({ type: 'watch', watching: true }));
    await until(() => seen.at(-1) === true);
    page.socket.terminate();
    await until(() => seen.at(-1) === false);
    expect(seen).toEqual([false, true, false, true, false]);
    expect((await openWeb({ demand: 'always' })).sink.wanted).toBeUndefined();
  });

  it('tells what the run has counted to pages that watch, once per second', async () => {
    const seconds: (() => void)[] = [];
    let captured = 0;
    const clock = {
      ...{ now: () => systemClock.now(), wall: () => systemClock.wall() },
      after: (ms: number, then: () => void) => {
        if (ms === 1000) seconds.push(then);
        return () => seconds.splice(0);
      },
    };
    const runStats = () => ({ ...testContext().runStats(), captured: ++captured });
    const opened = await openWeb({}, { clock, runStats });
    const paused = connect(opened.address);
    await once(paused.socket, 'open');
    expect(captured).toBe(0);
    const page = await watch(opened);
    const told = ({ texts }: Page) => texts.filter(({ type }) => type === 'run');
    await until(() => told(page).length === 1);
    seconds.shift()?.();
    await until(() => told(page).length === 2);
    expect(told(page).map(({ stats }) => (stats as { captured: number }).captured)).toEqual([1, 2]);
    expect(told(paused)).toEqual([]);
    page.socket.terminate();
    await until(() => isWanted(opened) === false);
    expect(seconds).toEqual([]);
  });

  it('costs a page that shows nothing its own frames, and no other page', async () => {
    const opened = await openWeb();
    const [stuck, quick] = [await watch(opened, { shows: false }), await watch(opened)];
    await until(() => isWanted(opened) === true);
    for (let seq = 0; seq < 20; seq++) {
      await opened.sink.write(depthFrame(8, 6, seq));
      await until(() => quick.seqs.at(-1) === seq);
    }
    expect(quick.seqs).toHaveLength(20);
    expect(stuck.seqs).toEqual([0, 1]);
    expect(opened.context.report()).toMatchObject({ frames: 20, notSent: 17 });
    // As soon as it goes on, it gets the newest.
    stuck.socket.send(JSON.stringify({ type: 'shown', seq: 1 }));
    await until(() => stuck.seqs.length === 3);
    expect(stuck.seqs.at(-1)).toBe(19);
    expect(stuck.texts.at(-1)).toEqual({ type: 'status', dropped: 17 });
  });

  it('does not wait for a page that no longer reads', async () => {
    const opened = await openWeb();
    const [stuck, quick] = [await watch(opened), await watch(opened)];
    await until(() => isWanted(opened) === true);
    stuck.socket.pause();
    for (let seq = 0; seq < 20; seq++) {
      await opened.sink.write(imageFrame(320, 240, seq));
      await until(() => quick.seqs.at(-1) === seq);
    }
    expect(quick.seqs).toHaveLength(20);
    expect(opened.context.report().notSent).toBe(17);
  });

  it('refuses another origin, a missing one, and a foreign host name', async () => {
    const { address } = await openWeb();
    const { port } = new URL(address);
    expect(await refusal(connect(address, { origin: 'http://evil.example' }))).toBe(403);
    expect(
      await refusal(connect(address, { origin: `http://127.0.0.1:${Number(port) + 1}` })),
    ).toBe(403);
    expect(await refusal(connect(address, { origin: '' }))).toBe(403);
    // A name that was made to point to this machine is its own origin.
    const rebound = {
      origin: `http://evil.example:${port}`,
      headers: { host: `evil.example:${port}` },
    };
    expect(await refusal(connect(address, rebound))).toBe(403);
    expect(await get(address, { host: `evil.example:${port}` })).toMatchObject({ status: 403 });
    const local = { origin: `http://localhost:${port}`, headers: { host: `localhost:${port}` } };
    await once(connect(address, local).socket, 'open');
  });

  it('with a token, sends nothing without the right one', async () => {
    const opened = await openWeb({ token: 'correct horse' });
    for (const token of [undefined, 'wrong horse', '']) {
      const page = connect(opened.address, token === undefined ? {} : { token });
      const [code] = await once(page.socket, 'close');
      expect(code).toBe(4401);
      expect(page.texts).toEqual([]);
    }
    const page = await watch(opened, { token: 'correct horse' });
    await until(() => isWanted(opened) === true);
    await opened.sink.write(imageFrame());
    await until(() => page.seqs.length === 1);
  });

  it.each(['not JSON', '{"type":"watch"}', 'null', JSON.stringify('x'.repeat(2000)), Buffer.of(1)])(
    'disconnects a page that sends %j',
    async (text) => {
      const opened = await openWeb();
      const page = await watch(opened);
      page.socket.send(text);
      await once(page.socket, 'close');
      await until(() => isWanted(opened) === false);
    },
  );

  it('limits the pages that are open', async () => {
    const opened = await openWeb({ clients: 1 });
    await watch(opened);
    const [code] = await once(connect(opened.address).socket, 'close');
    expect(code).toBe(4429);
    expect(opened.context.report()).toMatchObject({ clients: 1 });
  });

  it('disconnects a page that has not answered for two heartbeats', async () => {
    const beats: (() => void)[] = [];
    const clock = {
      ...{ now: () => systemClock.now(), wall: () => systemClock.wall() },
      after: (ms: number, beat: () => void) => {
        if (ms === 10_000) beats.push(beat);
        return () => {};
      },
    };
    const opened = await openWeb({}, { clock });
    const [stuck, quick] = [await watch(opened), await watch(opened)];
    await until(() => isWanted(opened) === true);
    stuck.socket.pause();
    const closed = once(stuck.socket, 'close');
    beats.shift()?.();
    await once(quick.socket, 'ping');
    // Its answer arrives before what it sends after it.
    quick.socket.send(JSON.stringify({ type: 'shown', seq: 0 }));
    await opened.sink.write(imageFrame());
    await until(() => quick.seqs.length === 1);
    beats.shift()?.();
    stuck.socket.resume();
    await closed;
    expect(quick.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('says which port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(openWeb({ port })).rejects.toThrow(`port ${port} is in use; set another "port"`);
    taken.close();
    await expect(openWeb({ host: '203.0.113.7' })).rejects.toThrow(
      '"203.0.113.7" is not an address of this machine',
    );
  });

  it('warns where the network can see it', async () => {
    const warnings = (options: object) => web.warnings?.(web.options.parse(options), '');
    expect(warnings({})).toEqual([]);
    expect(warnings({ host: '::1' })).toEqual([]);
    expect(warnings({ host: '0.0.0.0', token: 'a secret of mine' })).toEqual([]);
    expect(warnings({ host: '0.0.0.0' })).toEqual([
      '0.0.0.0:8080 is open to the network without a token; set token, or leave host out and use ssh -L',
    ]);
    expect(warnings({ host: '127.0.0.1.evil.example' })).toHaveLength(1);
  });

  it('closes while a page is stuck', async () => {
    const opened = await openWeb();
    const page = await watch(opened);
    await until(() => isWanted(opened) === true);
    page.socket.pause();
    await opened.context.close();
    await expect(get(opened.address)).rejects.toThrow('ECONNREFUSED');
  });
});
