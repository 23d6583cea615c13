import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Sink } from '../../src/core/component.ts';
import { web } from '../../src/sinks/web.ts';
import { protocol, tokenPrefix, unpackLive } from '../../src/web/live-message.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';

const contexts: TestContext[] = [];
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const context of contexts.splice(0)) await context.close();
});

interface Opened {
  readonly sink: Sink;
  readonly context: TestContext;
  readonly address: string;
}

async function open(options: object = {}): Promise<Opened> {
  const context = testContext();
  contexts.push(context);
  const sink = (await web.create(web.options.parse({ port: 0, ...options }), context)) as Sink;
  return { sink, context, address: context.report().address as string };
}

interface Page {
  readonly socket: WebSocket;
  /** The `seq` of each frame that came. */
  readonly seqs: number[];
  readonly texts: Record<string, unknown>[];
}

interface PageOptions {
  readonly origin?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Says that each frame is shown. Default: true. */
  readonly shows?: boolean;
}

function connect(
  address: string,
  { origin, token, headers, shows = true }: PageOptions = {},
): Page {
  const offered =
    token === undefined ? [] : [tokenPrefix + Buffer.from(token).toString('base64url')];
  const socket = new WebSocket(`${address.replace('http', 'ws')}live`, [protocol, ...offered], {
    origin: origin ?? address.slice(0, -1),
    ...(headers && { headers }),
  });
  socket.on('error', () => {});
  sockets.push(socket);
  const page: Page = { socket, seqs: [], texts: [] };
  socket.on('message', (data: Buffer, binary) => {
    if (!binary) {
      page.texts.push(JSON.parse(data.toString()));
      return;
    }
    const { seq } = unpackLive(Uint8Array.from(data).buffer).header;
    page.seqs.push(seq);
    if (shows) socket.send(JSON.stringify({ type: 'shown', seq }));
  });
  return page;
}

async function watch(opened: Opened, options?: PageOptions): Promise<Page> {
  const page = connect(opened.address, options);
  await once(page.socket, 'open');
  page.socket.send(JSON.stringify({ type: 'watch', watching: true }));
  // Messages are taken in order, so this one has been too.
  page.socket.ping();
  await once(page.socket, 'pong');
  return page;
}

/** Whether a page is wanted now. */
function isWanted({ sink }: Opened): boolean | undefined {
  let last: boolean | undefined;
  sink.wanted
    ?.subscribe((wanted) => {
      last = wanted;
    })
    .unsubscribe();
  return last;
}

async function refusal(page: Page): Promise<number | undefined> {
  const [, response] = await once(page.socket, 'unexpected-response');
  return response.statusCode;
}

function get(address: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  return new Promise<{ status: number | undefined; headers: object; body: string }>(
    (resolve, reject) => {
      const asked = request(address, { headers, method }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => {
          body += text;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body }),
        );
      });
      asked.on('error', reject).end();
    },
  );
}

describe('web', () => {
  it('serves the page with a policy that allows nothing of others', async () => {
    const { address } = await open();
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
    const opened = await open();
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
    const opened = await open();
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
    expect((await open({ demand: 'always' })).sink.wanted).toBeUndefined();
  });

  it('tells what the run has counted to pages that watch, once per second', async () => {
    const seconds: (() => void)[] = [];
    let captured = 0;
    const context = testContext({
      runStats: () => ({ ...testContext().runStats(), captured: ++captured }),
    });
    contexts.push(context);
    const clock = {
      ...{ now: () => context.clock.now(), wall: () => context.clock.wall() },
      after: (ms: number, then: () => void) => {
        if (ms === 1000) seconds.push(then);
        return () => seconds.splice(0);
      },
    };
    const sink = (await web.create(web.options.parse({ port: 0 }), { ...context, clock })) as Sink;
    const opened = { sink, context, address: context.report().address as string };
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
    const opened = await open();
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
    const opened = await open();
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
    const { address } = await open();
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
    const opened = await open({ token: 'correct horse' });
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

  it.each(['not JSON', '{"type":"watch"}', 'null', JSON.stringify('x'.repeat(2000))])(
    'disconnects a page that sends %s',
    async (text) => {
      const opened = await open();
      const page = await watch(opened);
      page.socket.send(text);
      await once(page.socket, 'close');
      await until(() => isWanted(opened) === false);
    },
  );

  it('limits the pages that are open', async () => {
    const opened = await open({ clients: 1 });
    await watch(opened);
    const [code] = await once(connect(opened.address).socket, 'close');
    expect(code).toBe(4429);
    expect(opened.context.report()).toMatchObject({ clients: 1 });
  });

  it('disconnects a page that has not answered for two heartbeats', async () => {
    const beats: (() => void)[] = [];
    const context = testContext();
    contexts.push(context);
    const clock = {
      now: () => context.clock.now(),
      wall: () => context.clock.wall(),
      after: (ms: number, beat: () => void) => {
        if (ms === 10_000) beats.push(beat);
        return () => {};
      },
    };
    const options = web.options.parse({ port: 0 });
    const sink = (await web.create(options, { ...context, clock })) as Sink;
    const opened = { sink, context, address: context.report().address as string };
    const [stuck, quick] = [await watch(opened), await watch(opened)];
    await until(() => isWanted(opened) === true);
    stuck.socket.pause();
    const closed = once(stuck.socket, 'close');
    beats.shift()?.();
    await once(quick.socket, 'ping');
    // Its answer arrives before what it sends after it.
    quick.socket.send(JSON.stringify({ type: 'shown', seq: 0 }));
    await sink.write(imageFrame());
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
    await expect(open({ port })).rejects.toThrow(`port ${port} is in use; set another "port"`);
    taken.close();
    await expect(open({ host: '203.0.113.7' })).rejects.toThrow(
      '"203.0.113.7" is not an address of this machine',
    );
  });

  it('warns where the network can see it', async () => {
    const warnings = (options: object) => web.warnings?.(web.options.parse(options));
    expect(warnings({})).toEqual([]);
    expect(warnings({ host: '::1' })).toEqual([]);
    expect(warnings({ host: '0.0.0.0', token: 'a secret of mine' })).toEqual([]);
    expect(warnings({ host: '0.0.0.0' })).toEqual([
      '0.0.0.0:8080 is open to the network without a token; set token, or leave host out and use ssh -L',
    ]);
    expect(warnings({ host: '127.0.0.1.evil.example' })).toHaveLength(1);
  });

  it('closes while a page is stuck', async () => {
    const opened = await open();
    const page = await watch(opened);
    await until(() => isWanted(opened) === true);
    page.socket.pause();
    await opened.context.close();
    await expect(get(opened.address)).rejects.toThrow('ECONNREFUSED');
  });
});
