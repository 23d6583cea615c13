import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
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
});
