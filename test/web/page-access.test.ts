import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { workplace } from '../support/cli.ts';
import { feed, livePages, slope, state } from '../support/live-page.ts';

const { open, visit, live } = livePages();

describe('the page', () => {
  it('asks for the token, and shows nothing before it is right', async () => {
    const { sink, address } = await open({ token: 'pässword of mine' });
    const page = await visit(address);
    await state(page, 'token');
    await page.getByLabel('Token of this page').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This token is not the right one.').waitFor();
    await sink.write(slope(0));
    expect(await page.locator('#stats').textContent()).toBe('');
    await page.getByLabel('Token of this page').fill('pässword of mine');
    await page.keyboard.press('Enter');
    await state(page, 'live');
    expect(await page.locator('#token-form').isVisible()).toBe(false);
    await feed(sink, page, slope);
    // It is in the address only until the page has read it.
    const other = await live(`${address}#token=${encodeURIComponent('pässword of mine')}`);
    expect(other.url()).toBe(address);
  });

  it.each(['q+w/8hn&token=A0x==', '100%+"<w\\x>#?'])(
    'takes the token %s from its address, as it stands and encoded',
    async (token) => {
      const { address } = await open({ token });
      for (const written of [token, encodeURIComponent(token)]) {
        const page = await live(`${address}#token=${written}`);
        expect(page.url()).toBe(address);
      }
      // In a page that is open already.
      const page = await visit(address);
      await state(page, 'token');
      await page.goto(`${address}#token=${token}`);
      await state(page, 'live');
      expect(page.url()).toBe(address);
    },
  );

  it('of another origin gets no connection', async () => {
    const { address } = await open();
    const site = createServer((_, response) => response.end('<!doctype html>')).listen(
      0,
      '127.0.0.1',
    );
    await once(site, 'listening');
    const page = await visit(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    const outcome = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket('${address.replace('http', 'ws')}live', 'depthline.live.1');
      socket.onopen = () => resolve('open');
      socket.onclose = () => resolve('refused');
    })`);
    expect(outcome).toBe('refused');
    site.closeAllConnections();
    site.close();
  });

  it('that was reached by a foreign name (DNS rebinding) is not served', async () => {
    const { address } = await open();
    const page = await visit(`http://evil.example:${new URL(address).port}/`);
    expect(await page.locator('body').textContent()).toContain('a host name that is not of this');
  });

  it('behind a proxy with TLS, below a folder, connects if its origin is listed', async () => {
    const proxy = await tlsProxy();
    const { sink, address } = await open({ origins: [`https://robot.example:${proxy.port}`] });
    proxy.target = Number(new URL(address).port);
    const settings = { ignoreHTTPSErrors: true };
    const page = await live(`https://robot.example:${proxy.port}/depth/`, settings);
    await feed(sink, page, slope);
    await proxy.close();
  });

  it('that is one too many says so, and connects when another has closed', async () => {
    const { address } = await open({ clients: 1 });
    const first = await live(address);
    const second = await visit(address);
    await second.getByText('too many pages are open; trying again').waitFor();
    await first.close();
    await state(second, 'live');
  });
});

/** A request for the file of a folder, as one for the file. A browser sends each with its first bytes. */
function withoutFolder(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/^GET \/depth\//, 'GET /'), 'latin1');
}

/** Ends TLS and passes the bytes on to `target`, a port of this machine, without the folder "depth". */
async function tlsProxy() {
  const folder = workplace();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    [...args, '-subj', '/CN=robot.example', '-days', '2', '-keyout', key, '-out', cert],
    { stdio: 'ignore', timeout: 60_000 },
  );
  const sockets = new Set<{ destroy(): void }>();
  const keys = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createTlsServer(keys, (outside) => {
    const inside = connectSocket(proxy.target, '127.0.0.1');
    for (const socket of [outside, inside]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => [outside, inside].map((one) => one.destroy()));
    }
    outside.on('data', (bytes) => inside.write(withoutFolder(bytes)));
    inside.pipe(outside);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
