import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Route, RunServer, type RunServerOptions } from '../../src/serve/run-server.ts';

const servers: RunServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function open(options: Partial<RunServerOptions> = {}, routes: readonly Route[] = []) {
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const server = await RunServer.open({ host: '127.0.0.1', port: 0, warn, ...options });
  servers.push(server);
  for (const route of routes) server.add(route);
  return { server, warnings, port: Number(new URL(server.address).port) };
}

/** `fetch` sets Host and Origin itself. */
async function ask(
  { server }: { server: RunServer },
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
  const sent = request(new URL(path, server.address), { method, headers, agent: false });
  sent.on('error', () => {});
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response) text += part;
  return { status: response.statusCode as number, headers: response.headers, text };
}

const hello: Route = {
  method: 'GET',
  path: '/hello',
  handle: ({ query }) => ({ status: 200, body: `hello ${query.get('name')}\n` }),
};
const echo: Route = {
  method: 'POST',
  path: '/echo',
  handle: ({ body }) => ({ status: 200, body: body.toString() }),
};
const open4all: Route = {
  method: 'GET',
  path: '/open',
  access: 'anyone',
  handle: ({ trusted }) => ({ status: 200, body: String(trusted) }),
};

describe('routes', () => {
  it('answers what was added, and says what there is', async () => {
    const opened = await open({}, [hello, echo]);
    expect(await ask(opened, '/hello?name=you')).toMatchObject({
      status: 200,
      text: 'hello you\n',
    });
    expect(await ask(opened, '/echo', { method: 'POST', body: 'abc' })).toMatchObject({
      status: 200,
      text: 'abc',
    });
    expect(await ask(opened, '/nothing')).toMatchObject({
      status: 404,
      text: 'there is no /nothing; see /hello, /echo\n',
    });
  });

  it('answers HEAD without a body, and refuses other methods', async () => {
    const opened = await open({}, [hello]);
    const head = await ask(opened, '/hello', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, text: '' });
    const post = await ask(opened, '/hello', { method: 'POST' });
    expect(post).toMatchObject({ status: 405, text: '/hello takes GET\n' });
    expect(post.headers.allow).toBe('GET');
  });

  it('answers a handler that fails with 500, and warns', async () => {
    const broken: Route = {
      method: 'GET',
      path: '/broken',
      handle: () => Promise.reject(new Error('no room')),
    };
    const opened = await open({}, [broken]);
    expect(await ask(opened, '/broken')).toMatchObject({ status: 500, text: 'no room\n' });
    expect(opened.warnings).toEqual(['/broken: no room']);
  });

  it('answers a request that has arrived when it closes', async () => {
    let proceed = () => {};
    const waiting = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    let begun = () => {};
    const began = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      async handle() {
        begun();
        await waiting;
        return { status: 200, body: 'done' };
      },
    };
    const opened = await open({}, [slow]);
    const asked = ask(opened, '/slow');
    await began;
    const closed = opened.server.close();
    proceed();
    expect(await asked).toMatchObject({ status: 200, text: 'done' });
    await closed;
  });
});

describe('the token', () => {
  const token = 'a-long-enough-token';
  const bearer = (text: string) => ({ headers: { Authorization: text } });

  it('is needed where one is set', async () => {
    const opened = await open({ token }, [hello, echo]);
    const without = await ask(opened, '/hello');
    expect(without.status).toBe(401);
    expect(without.headers['www-authenticate']).toBe('Bearer');
    for (const wrong of [`Bearer ${token}x`, 'Bearer', token, `Basic ${token}`, 'Bearer  ']) {
      expect((await ask(opened, '/hello', bearer(wrong))).status).toBe(401);
    }
    expect((await ask(opened, '/echo', { method: 'POST' })).status).toBe(401);
    expect((await ask(opened, `/hello?token=${token}`)).status).toBe(401);
    expect((await ask(opened, '/hello', bearer(`Bearer ${token}`))).status).toBe(200);
    expect((await ask(opened, '/hello', bearer(`bearer ${token}`))).status).toBe(200);
  });

  it('is told to routes that anyone may ask', async () => {
    const opened = await open({ token }, [open4all]);
    expect(await ask(opened, '/open')).toMatchObject({ status: 200, text: 'false' });
    expect(await ask(opened, '/open', bearer(`Bearer ${token}`))).toMatchObject({ text: 'true' });
    expect(await ask(await open({}, [open4all]), '/open')).toMatchObject({ text: 'true' });
  });
});

describe('requests from elsewhere', () => {
  it.each(['evil.example', 'evil.example:80', '192.168.1.2', 'localhost.evil.example'])(
    'refuses Host %s on loopback',
    async (host) => {
      const opened = await open({}, [hello]);
      expect((await ask(opened, '/hello', { headers: { Host: host } })).status).toBe(403);
    },
  );

  it('refuses pages of other origins', async () => {
    const opened = await open({}, [echo]);
    for (const Origin of ['http://evil.example', 'null', `http://127.0.0.1:1`]) {
      const refused = await ask(opened, '/echo', { method: 'POST', headers: { Origin } });
      expect(refused.status).toBe(403);
    }
    const own = { Origin: `http://127.0.0.1:${opened.port}` };
    expect((await ask(opened, '/echo', { method: 'POST', headers: own })).status).toBe(200);
  });
});

describe('hostile requests', () => {
  async function raw(port: number, text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }

  it('refuses long headers and bodies', async () => {
    const opened = await open({}, [hello, echo]);
    const long = await ask(opened, '/hello', { headers: { 'X-Long': 'x'.repeat(20_000) } });
    expect(long.status).toBe(431);
    const announced = { method: 'POST', headers: { 'Content-Length': String(2 ** 40) } };
    expect((await ask(opened, '/echo', announced)).status).toBe(413);
    const socket = await raw(
      opened.port,
      'POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    for (let i = 0; i < 6; i++) socket.write(chunk);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    expect((await ask(opened, '/hello')).status).toBe(200);
  });

  it('answers nonsense with 400', async () => {
    const opened = await open();
    for (const text of ['\x16\x03\x01\0\0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
      const socket = await raw(opened.port, text);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
      socket.destroy();
    }
  });

  it('bounds the connections, and takes new ones when they end', async () => {
    const opened = await open({}, [hello]);
    const sockets = await Promise.all(
      Array.from({ length: 32 }, () => raw(opened.port, 'GET /hello HTTP/1.1\r\nHo')),
    );
    const refused = connect(opened.port, '127.0.0.1');
    refused.on('error', () => {});
    await once(refused, 'close');
    for (const socket of sockets) {
      socket.destroy();
      await once(socket, 'close');
    }
    await expect.poll(async () => ask(opened, '/hello').catch(() => undefined)).toBeDefined();
  });

  it('closes connections that do not finish their request', async () => {
    const opened = await open({}, [hello, echo]);
    const header = await raw(opened.port, 'GET /hello HTTP/1.1\r\n');
    const drip = setInterval(() => header.write('X'), 500);
    const [answer] = (await once(header, 'data')) as [Buffer];
    clearInterval(drip);
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await once(header, 'close');
  });
});

describe('opening', () => {
  it('says that a port is taken, and which option to change', async () => {
    const { port } = await open();
    const second = RunServer.open({ host: '127.0.0.1', port, warn: () => {} });
    await expect(second).rejects.toMatchObject({
      code: 'SERVE',
      at: 'serve',
      message: `port ${port} is in use; set another "port"`,
    });
  });

  it('says that a host is not of this machine', async () => {
    const elsewhere = RunServer.open({ host: '203.0.113.7', port: 0, warn: () => {} });
    await expect(elsewhere).rejects.toThrow(/"203\.0\.113\.7" is not an address of this machine/);
  });

  it('listens on IPv6', async () => {
    const opened = await open({ host: '::1' }, [hello]);
    expect(opened.server.address).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect((await ask(opened, '/hello')).status).toBe(200);
  });
});
