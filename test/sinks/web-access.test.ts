import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { web } from '../../src/sinks/web.ts';
import { LiveServer } from '../../src/web/live-server.ts';
import { testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import {
  closeAll,
  connect,
  get,
  isWanted,
  openWeb,
  refusal,
  watch,
} from '../support/live-socket.ts';

afterEach(closeAll);

/** Sends bytes on a connection of its own; what comes back until the server closes it. */
async function exchange(address: string, bytes: string | Buffer): Promise<string> {
  const socket = raw(address);
  socket.write(bytes);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  await once(socket, 'close');
  return answer;
}

function raw(address: string): Socket {
  const { hostname, port } = new URL(address);
  const socket = connectSocket(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
  socket.on('error', () => {});
  return socket;
}

const upgrade = (address: string, more: readonly string[] = []) =>
  [
    'GET /live HTTP/1.1',
    `Host: ${new URL(address).host}`,
    `Origin: ${address.slice(0, -1)}`,
    ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: depthline.live.1'],
    ...more,
    '\r\n',
  ].join('\r\n');

describe('names and origins', () => {
  it('behind a proxy are those of "origins", and no others', async () => {
    const { address, context } = await openWeb({ origins: ['https://robot.example'] });
    const { host } = new URL(address);
    // A proxy that passes the name on, and one that replaces it.
    for (const name of ['robot.example', host]) {
      const headers = { host: name };
      expect(await get(address, headers)).toMatchObject({ status: 200 });
      await once(connect(address, { origin: 'https://robot.example', headers }).socket, 'open');
    }
    for (const origin of ['http://robot.example', 'https://evil.example', 'null']) {
      const page = connect(address, { origin, headers: { host } });
      expect(await refusal(page)).toBe(403);
    }
    expect(await get(address, { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(context.logs.filter(({ level }) => level === 'warn').map((one) => one.message)).toEqual(
      ['http://robot.example', 'https://evil.example', 'null'].map(
        (origin) =>
          `refused a connection from ${origin}; if that is this page behind a proxy, add it to "origins"`,
      ),
    );
    expect(context.report()).toMatchObject({ refused: 4 });
  });

  it('are refused where they are no origin', () => {
    const problem = (origin: string) =>
      web.options.safeParse({ origins: [origin] }).error?.issues[0]?.message;
    expect(problem('https://robot.example')).toBeUndefined();
    expect(problem('http://robot.example:8080')).toBeUndefined();
    for (const wrong of [
      ...['https://robot.example/', 'https://robot.example/page', 'robot.example', '*', 'null'],
      ...['ftp://robot.example', 'https://Robot.example', 'https://robot.example:443', ''],
    ])
      expect(problem(wrong), wrong).toMatch(/^must be scheme, host and port of a page/);
  });

  it('on an open address without a token are those that nobody else can have', async () => {
    const { address } = await openWeb({ host: '0.0.0.0' });
    const { port } = new URL(address);
    const local = address.replace('0.0.0.0', '127.0.0.1');
    const status = async (host: string) => (await get(local, { host })).status;
    for (const own of ['192.168.1.5', '[fd00::5]', 'localhost', 'robot', 'robot.local', hostname()])
      expect(await status(`${own}:${port}`), own).toBe(200);
    const rebound = `evil.example:${port}`;
    const refused = await get(local, { host: rebound });
    expect(refused).toMatchObject({ status: 403, body: expect.stringContaining('set "token"') });
    const page = connect(local, { origin: `http://${rebound}`, headers: { host: rebound } });
    expect(await refusal(page)).toBe(403);
  });

  it('on an open address with a token may be any: a foreign page does not know it', async () => {
    const { address } = await openWeb({ host: '0.0.0.0', token: 'correct horse' });
    const local = address.replace('0.0.0.0', '127.0.0.1');
    expect(await get(local, { host: 'robot.corp.example' })).toMatchObject({ status: 200 });
  });

  it('of every network are not what a page can be opened by', async () => {
    const { context } = await openWeb({ host: '0.0.0.0' });
    const told = context.logs.find(({ message }) => message.startsWith('live view at'));
    expect(told?.message).toMatch(/^live view at http:\/\/[\d.]+:\d+\//);
    expect(told?.message).not.toContain('0.0.0.0');
  });

  it('may be IPv6', async () => {
    const opened = await openWeb({ host: '::1' });
    expect(opened.address).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect(await get(opened.address)).toMatchObject({ status: 200 });
    const page = await watch(opened);
    await until(() => isWanted(opened) === true);
    await opened.sink.write(imageFrame());
    await until(() => page.seqs.length === 1);
  });
});

describe('requests', () => {
  it('are GET and HEAD only', async () => {
    const { address } = await openWeb();
    const whole = await get(address);
    const head = await get(address, {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers).toMatchObject({ 'content-length': String(Buffer.byteLength(whole.body)) });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']) {
      const { status, headers } = await get(address, {}, method);
      expect(status).toBe(405);
      expect(headers).toMatchObject({ allow: 'GET, HEAD', connection: 'close' });
    }
    const { host } = new URL(address);
    const long = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000000\r\n\r\n`;
    expect(await exchange(address, long + 'x'.repeat(10_000))).toMatch(/^HTTP\/1\.1 405 /);
    expect(
      await exchange(address, `CONNECT evil.example:80 HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    ).toBe('');
  });

  it.each([
    '/../package.json',
    '/assets/../../index.js',
    '/%2e%2e/%2e%2e/package.json',
    '/..%5c..%5cpackage.json',
    '/assets//index.html',
    '//etc/passwd',
    '/licenses.txt/../../package.json',
    '/index.html\u0000.js',
    'file:///etc/passwd',
    '/constructor',
    '/__proto__',
  ])('find no other file: %j', async (path) => {
    const { address } = await openWeb();
    const { host } = new URL(address);
    const answer = await exchange(
      address,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it.each([
    ['garbage', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 73) % 256))],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}`],
    [
      'smuggled',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'another protocol',
      'GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
  ])('that are broken are refused, and the run goes on: %s', async (_, bytes) => {
    const opened = await openWeb();
    expect(await exchange(opened.address, bytes)).toMatch(/^HTTP\/1\.1 (4\d\d) /);
    expect(await get(opened.address)).toMatchObject({ status: 200 });
    expect(opened.context.logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('that never end are given up, so that others find room', async () => {
    const counts = { taken: 0 };
    const server = await LiveServer.open({
      ...{ host: '127.0.0.1', port: 0, origins: [], title: '', clients: 1, requestMs: 200 },
      ...{ clock: systemClock, stats: () => testContext().runStats(), warn() {} },
    });
    const slow = Array.from({ length: 60 }, () => {
      const socket = raw(server.address).resume();
      socket.on('connect', () => counts.taken++);
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ');
      return socket;
    });
    await Promise.all(
      slow.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    expect(counts.taken).toBeGreaterThan(0);
    // On a busy machine a good request may take longer than 200 ms, too.
    const good = () => get(server.address).catch(() => undefined);
    await expect.poll(good).toMatchObject({ status: 200 });
    await server.close();
  });
});

describe('connections', () => {
  it.each([
    ['bytes that are no frames', Buffer.alloc(2000, 0xff)],
    ['a frame without a mask', Buffer.from([0x81, 0x02, 0x68, 0x69])],
    ['a frame that claims 2^53 bytes', Buffer.from([0x82, 0xff, 0, 0x1f, ...Array(10).fill(255)])],
    ['a compressed frame', Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 1])],
  ])('that send %s are closed, and no other is', async (_, bytes) => {
    const opened = await openWeb();
    const page = await watch(opened);
    await until(() => isWanted(opened) === true);
    const answer = await exchange(
      opened.address,
      Buffer.concat([Buffer.from(upgrade(opened.address)), bytes]),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    await opened.sink.write(imageFrame());
    await until(() => page.seqs.length === 1);
    expect(opened.context.logs.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('are as many as "clients", and those that are open lose nothing', async () => {
    const opened = await openWeb({ clients: 16 });
    const pages = Array.from({ length: 50 }, () => connect(opened.address));
    const codes = await Promise.all(
      pages.map(
        (page) =>
          new Promise<number | undefined>((resolve) => {
            page.socket.once('message', () => resolve(undefined));
            page.socket.once('close', resolve);
          }),
      ),
    );
    expect(codes.filter((code) => code === undefined)).toHaveLength(16);
    expect(codes.filter((code) => code === 4429)).toHaveLength(34);
    const open = pages.filter((_, i) => codes[i] === undefined);
    for (const { socket } of open) socket.send(JSON.stringify({ type: 'watch', watching: true }));
    await until(() => isWanted(opened) === true);
    for (let seq = 0; open.some(({ seqs }) => seqs.length < 3); seq++) {
      await opened.sink.write(imageFrame(32, 24, seq));
      // What the pages get arrives in turns of the event loop; nothing else here waits for one.
      await turn();
      await until(() => open.every(({ seqs }) => seqs.length === 0 || seqs.at(-1) === seq));
    }
    // One that closes makes room for the next.
    open[0]?.socket.close();
    await once(open[0]?.socket as WebSocket, 'close');
    const next = await watch(opened);
    expect(next.socket.readyState).toBe(WebSocket.OPEN);
    expect(opened.context.report()).toMatchObject({ clients: 17, refused: 34 });
  });

  it('to a port of any number are at the port that is reported', async () => {
    const [one, two] = [await openWeb({ port: 0 }), await openWeb({ port: 0 })];
    const ports = [one, two].map(({ address }) => Number(new URL(address).port));
    expect(new Set(ports).size).toBe(2);
    expect(Math.min(...ports)).toBeGreaterThan(0);
    await expect(openWeb({ port: ports[0] as number })).rejects.toThrow(
      `port ${ports[0]} is in use; set another "port"`,
    );
  });
});
