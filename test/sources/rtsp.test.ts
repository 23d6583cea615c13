import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, type Observable, take, tap, toArray } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import { rtsp } from '../../src/sources/rtsp.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/gstreamer.ts';

const script = fileURLToPath(new URL('../support/rtsp-server.py', import.meta.url));

let context: TestContext;
const servers: ChildProcess[] = [];

afterEach(async () => {
  await context?.close();
  for (const server of servers.splice(0)) {
    if (server.exitCode === null && server.signalCode === null && server.kill('SIGKILL'))
      await once(server, 'close');
  }
});

/** Starts a server with the system's Python, which has GStreamer's bindings; gives its port. */
async function serve(...args: string[]): Promise<number> {
  const server = spawn('/usr/bin/python3', [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(server);
  const [port] = await once(server.stdout, 'data');
  return Number(port);
}

async function open(given: Record<string, unknown>): Promise<Observable<ImageFrame>> {
  context = testContext();
  const options = rtsp.options.parse({ latency: '50ms', ...given });
  return (await rtsp.create(options, context)) as Observable<ImageFrame>;
}

describe('rtsp', () => {
  test('says how a space is written', () => {
    const problem = rtsp.options.safeParse({ url: 'rtsp://cam:pass word@host/live' }).error;
    expect(problem?.issues.map(({ message }) => message)).toEqual([
      'must not contain spaces: write a space as %20',
    ]);
  });

  test.each(['tcp', 'udp'])('reads pictures over %s, past the sound', async (protocol) => {
    const url = `rtsp://127.0.0.1:${await serve()}/test`;
    const frames = await open({ url, protocol });
    const all = await lastValueFrom(frames.pipe(take(20), toArray()));
    expect(all[0]).toMatchObject({ width: 64, height: 48, format: 'rgb' });
    for (let i = 1; i < all.length; i++) expect(all[i]!.pts).toBeGreaterThan(all[i - 1]!.pts);
  });

  test('logs in, and keeps the password out of logs and messages', async () => {
    const port = await serve('0', 'me', 'secret');
    const frames = await open({ url: `rtsp://me:secret@127.0.0.1:${port}/test`, protocol: 'tcp' });
    expect(await lastValueFrom(frames.pipe(take(2), toArray()))).toHaveLength(2);
    expect(JSON.stringify(context.logs)).toContain('rtsp://***@127.0.0.1');
    expect(JSON.stringify(context.logs)).not.toContain('secret');
    await context.close();
    const url = `rtsp://me:wrong@127.0.0.1:${port}/test`;
    await expect(lastValueFrom(await open({ url, protocol: 'tcp' }))).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/user name and password/),
    });
  });
});

describe('a camera that is switched off', () => {
  // Its connection ends with it; a stream that is merely slow does not stall.
  const soon = { 'stalled-after': '20s', 'max-delay': '20ms' };

  test('is reconnected however many attempts it takes, and said to be away meanwhile', async () => {
    const port = await serve(String(await freePort()));
    const url = `rtsp://127.0.0.1:${port}/test`;
    const frames = await open({ url, protocol: 'tcp', restart: soon });
    const counts: number[] = [];
    const watched = frames.pipe(
      tap({
        next: () => {
          if (counts.push(context.away.length) === 10) servers[0]?.kill('SIGKILL');
        },
      }),
    );
    // More than may have arrived when the camera goes.
    const all = lastValueFrom(watched.pipe(take(40), toArray()));
    await until(() => context.counts.restarts.length > 8);
    expect(context.away).toEqual([expect.any(BigInt)]);
    await serve(String(port));
    for (const [i, { pts }] of (await all).entries())
      if (i > 0) expect(pts).toBeGreaterThan((await all)[i - 1]!.pts);
    expect(context.away).toEqual([expect.any(BigInt), undefined]);
    const told = context.logs.filter(({ level }) => level !== 'debug').map((log) => log.message);
    expect(told.at(-1)).toMatch(/^frames again after \d+\.\d s$/);
    expect(new Set(told).size).toBe(told.length);
    expect(told.length).toBeLessThan(context.counts.restarts.length);
  });

  test('at the start ends the source, unless it is waited for', async () => {
    const port = await serve(String(await freePort()));
    servers[0]?.kill('SIGKILL');
    await once(servers[0] as ChildProcess, 'close');
    const url = `rtsp://127.0.0.1:${port}/test`;
    await expect(lastValueFrom(await open({ url, protocol: 'tcp' }))).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/check that the camera is on/),
    });
    await context.close();
    const given = { url, protocol: 'tcp', 'wait-for-source': true, restart: soon };
    const frames = await open(given);
    const all = lastValueFrom(frames.pipe(take(3), toArray()));
    await until(() => context.counts.restarts.length > 6);
    expect(context.away).toEqual([expect.any(BigInt)]);
    await serve(String(port));
    expect(await all).toHaveLength(3);
    expect(context.away.at(-1)).toBeUndefined();
  });

  test.each([
    ['limit', { limit: 2 }],
    ['give-up-after', { 'give-up-after': '1500ms' }],
  ])('ends the source at restart.%s', async (_, bound) => {
    const url = `rtsp://127.0.0.1:${await serve()}/test`;
    const frames = await open({ url, protocol: 'tcp', restart: { ...soon, ...bound } });
    const watched = frames.pipe(tap(() => servers[0]?.kill('SIGKILL')));
    await expect(lastValueFrom(watched)).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/\(after \d+ restarts?\)$/),
    });
    if ('limit' in bound) expect(context.counts.restarts).toHaveLength(2);
  });
});

describe('a stream that cannot be read', () => {
  const fails = async (url: string, message: RegExp) => {
    const frames = await open({ url, protocol: 'tcp' });
    await expect(lastValueFrom(frames)).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(message),
    });
  };

  test('no server', () =>
    fails(
      'rtsp://127.0.0.1:9/x',
      /RTSP stream rtsp:\/\/127.0.0.1:9\/x failed: .*element rtspsrc.*check that the camera is on/,
    ));

  test('no such path', async () =>
    fails(`rtsp://127.0.0.1:${await serve()}/nope`, /check that the camera is on/));

  test.each(['http://camera/', 'rtsp:', ''])('wrong url: %s', (url) => {
    expect(rtsp.options.safeParse({ url }).error?.issues[0]?.message).toMatch(/rtsp:\/\//);
  });
});

test('plan shows the launch line without the password', async () => {
  const options = rtsp.options.parse({ url: 'rtsp://me:secret@cam/1', protocol: 'udp' });
  expect(await rtsp.launchLine?.(options, { fused: [], baseDirectory: '.' })).toMatch(
    /^rtspsrc location="rtsp:\/\/\*\*\*@cam\/1" latency=200 protocols=udp ! application\/x-rtp,media=video ! decodebin/,
  );
});
