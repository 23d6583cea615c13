import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/core/component.ts';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { decodeDepthPng, decodeRgb } from '../../src/imaging/decode.ts';
import { web } from '../../src/sinks/web.ts';
import { subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { openBrowser } from '../support/browser.ts';
import { start, workplace } from '../support/cli.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { freeEndpoint } from '../support/topic.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const sinks: TestContext[] = [];
const windows: BrowserContext[] = [];
const problems: string[] = [];
afterEach(async () => {
  for (const window of windows.splice(0)) await window.close();
  for (const context of sinks.splice(0)) await context.close();
  expect(problems.splice(0)).toEqual([]);
});

async function open(
  options: object = {},
): Promise<{ sink: Sink; address: string; context: TestContext }> {
  const context = testContext();
  sinks.push(context);
  const sink = (await web.create(web.options.parse({ port: 0, ...options }), context)) as Sink;
  return { sink, context, address: context.report().address as string };
}

async function visit(address: string, settings: BrowserContextOptions = {}): Promise<Page> {
  const window = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...settings });
  windows.push(window);
  const page = await window.newPage();
  page.on('pageerror', ({ message }) => problems.push(message));
  await page.goto(address);
  return page;
}

const state = (page: Page, name: string) =>
  page.locator(`#connection[data-state=${name}]`).waitFor();

/** Opens the page and waits until it watches. */
async function live(address: string, settings?: BrowserContextOptions): Promise<Page> {
  const page = await visit(address, settings);
  await state(page, 'live');
  return page;
}

/** Writes frames until the page shows one; the `seq` that it shows. */
async function feed(sink: Sink, page: Page, frame: (seq: number) => Frame): Promise<number> {
  const before = await page.locator('#stats').textContent();
  for (let seq = 0; seq < 500; seq++) {
    await sink.write(frame(seq));
    if ((await page.locator('#stats').textContent()) !== before) return shownSeq(page);
    await sleep(20);
  }
  throw new Error('the page shows no frame');
}

async function shownSeq(page: Page): Promise<number> {
  const [, seq] = /frame (\d+)/.exec((await page.locator('#stats').textContent()) ?? '') ?? [];
  return Number(seq);
}

/** Points at the middle of a pixel of the depth; the text of the distance. */
async function pointAt(
  page: Page,
  [column, row]: readonly [number, number],
  size: { readonly width: number; readonly height: number },
  panel = '#depth-panel',
): Promise<string> {
  const target = page.locator(panel);
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (!box) throw new Error(`${panel} is not shown`);
  await page.mouse.move(
    box.x + ((column + 0.5) / size.width) * box.width,
    box.y + ((row + 0.5) / size.height) * box.height,
  );
  // The browser hands out moves of the pointer with its next picture.
  await page.getByText(`at ${column}, ${row}`, { exact: true }).waitFor({ timeout: 5000 });
  return (await page.locator('#distance').textContent()) ?? '';
}

const room = (seq: number): DepthFrame => ({
  ...depthFrame(32, 24, seq, (x, y) => (x === 31 ? 0 : 0.5 + x * 0.2037 + y * 0.0113)),
  image: imageFrame(32, 24, seq),
});

describe('the page of a run', () => {
  it('shows under the cursor what the topic says', async () => {
    const endpoint = await freeEndpoint();
    const port = (await freeEndpoint()).split(':').at(-1);
    const cwd = workplace({
      'live.yaml': `
source:
  synthetic-room: { width: 320, height: 240, fps: 5, realtime: true }
operators:
  - estimate-depth: { model: fastdepth }
sinks:
  - web: { port: ${port} }
  - zeromq: { bind: "${endpoint}" }
`,
    });
    const running = start(['run', 'live.yaml'], { cwd });
    const frames = new Map<number, DepthFrame>();
    const stop = new AbortController();
    const reading = (async () => {
      for await (const frame of subscribeDepth(endpoint, { signal: stop.signal }))
        if (frame.kind === 'depth') frames.set(frame.seq, frame);
    })();
    while (!running.stderr.includes('live view at'))
      await once(running.child.stderr as never, 'data');
    const page = await live(`http://127.0.0.1:${port}/`);
    await page.getByText(/frame \d+/).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'paused');
    const seq = await shownSeq(page);
    while (!frames.has(seq)) await sleep(20);
    const depth = frames.get(seq) as DepthFrame;
    for (const place of [
      [0, 0],
      [223, 223],
      [112, 40],
      [17, 180],
      [201, 99],
    ] as const) {
      const text = await pointAt(page, place, depth);
      const [column, row] = place;
      expect(
        Math.abs(Number.parseFloat(text) - (depth.data[row * 224 + column] as number)),
      ).toBeLessThan(0.01);
      expect(await pointAt(page, place, depth, '#picture-panel')).toBe(text);
    }
    stop.abort();
    await reading;
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 0 });
  });

  it('connects again when the run is started again', async () => {
    const port = Number((await freeEndpoint()).split(':').at(-1));
    const first = await open({ port, title: 'First' });
    const page = await live(first.address);
    await feed(first.sink, page, (seq) => room(seq + 100));
    await first.context.close();
    await state(page, 'lost');
    const second = await open({ port, title: 'Second' });
    await state(page, 'live');
    await page.getByRole('heading', { name: 'Second' }).waitFor();
    expect(await feed(second.sink, page, room)).toBeLessThan(100);
  });
});

describe('the page', () => {
  it('keeps its frame while paused, and goes on with the newest', async () => {
    const { sink, address, context } = await open();
    const page = await live(address);
    await feed(sink, page, room);
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'paused');
    const seq = await shownSeq(page);
    let wanted: boolean | undefined;
    sink.wanted?.subscribe((now) => {
      wanted = now;
    });
    while (wanted) await sleep(5);
    const { sent } = context.report();
    for (let i = 0; i < 10; i++) await sink.write(room(1000 + i));
    expect(context.report().sent).toBe(sent);
    expect(await shownSeq(page)).toBe(seq);
    expect(await pointAt(page, [10, 4], { width: 32, height: 24 })).toBe('2.58 m');
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'live');
    expect(await feed(sink, page, (n) => room(2000 + n))).toBeGreaterThanOrEqual(2000);
  });

  it('saves the picture, and the depth in millimetres', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, room);
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'paused');
    const saved = async (name: string) => {
      const downloading = page.waitForEvent('download');
      await page.getByRole('button', { name }).click();
      const download = await downloading;
      return { name: download.suggestedFilename(), path: await download.path() };
    };
    const seq = await shownSeq(page);
    const depth = await saved('Save depth');
    expect(depth.name).toBe(`depth-${seq}.png`);
    const { width, height, data } = await decodeDepthPng(depth.path);
    expect([width, height]).toEqual([32, 24]);
    const wrong = [...room(seq).data].filter(
      (metres, i) => Math.abs(metres - (data[i] as number)) > 0.00051,
    );
    expect(wrong).toEqual([]);
    const picture = await saved('Save picture');
    expect(picture.name).toBe(`picture-${seq}.png`);
    expect(await decodeRgb(picture.path)).toMatchObject({ width: 32, height: 24 });
  });

  it('says where nothing was measured, and no metres for relative depth', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, room);
    expect(await pointAt(page, [31, 3], { width: 32, height: 24 })).toBe('not measured');
    expect(await page.locator('#bar-labels').textContent()).toMatch(/^\d\.\d\d m/);
    await feed(sink, page, (seq) => ({ ...room(seq + 1000), unit: 'relative' }));
    expect(await pointAt(page, [10, 4], { width: 32, height: 24 })).toBe('2.58 (relative)');
    await page.locator('#depth-panel').click();
    expect(await page.locator('#bar-labels').textContent()).toBe('nearfar');
    expect(await page.locator('#live').textContent()).not.toMatch(/\d m\b/);
    expect(await page.getByText('m', { exact: true }).filter({ visible: true }).count()).toBe(0);
  });

  it('is used with the keyboard alone, and names what it shows', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, room);
    await page.getByRole('img', { name: 'Depth', exact: true }).focus();
    for (const key of ['Shift+ArrowLeft', 'ArrowLeft', 'ArrowUp', 'Enter', 'ArrowRight', ' '])
      await page.keyboard.press(key);
    expect(await page.locator('#position').textContent()).toBe('at 6, 11');
    // 0.5 + 0.2037 × 5 + 0.0113 × 11
    const pins = page.getByRole('list', { name: 'Pinned points' }).getByRole('listitem');
    expect(await pins.allInnerTexts()).toEqual([
      expect.stringContaining('1: 1.64 m'),
      expect.stringContaining('2: 1.85 m'),
    ]);
    await page.getByRole('button', { name: 'Remove pin 1' }).press('Enter');
    expect(await pins.allInnerTexts()).toEqual([expect.stringContaining('1: 1.85 m')]);
    await page.getByRole('button', { name: 'Clear pins' }).press('Enter');
    expect(await pins.count()).toBe(0);
    await page.getByRole('radio', { name: 'Side by side' }).focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown');
    const share = page.getByRole('slider', { name: 'Share of depth' });
    await share.focus();
    await page.keyboard.press('Home');
    expect(await page.locator('#depth').getAttribute('style')).toMatch(/opacity: 0;/);
  });

  it('takes a fixed range and another colour map', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, room);
    await page.getByLabel('Range follows the frames').uncheck();
    await page.getByLabel('Near').fill('1');
    await page.getByLabel('Far').fill('3');
    await page.getByLabel('Colour map').selectOption('viridis');
    expect(await page.locator('#bar-labels span').allInnerTexts()).toEqual([
      '1.00 m',
      '1.50 m',
      '2.00 m',
      '2.50 m',
      '3.00 m',
    ]);
    expect(await page.locator('#bar-colors').getAttribute('style')).toContain('rgb(253, 231, 37)');
  });

  it.each(['light', 'dark'] as const)('fits a phone, in %s', async (colorScheme) => {
    const { sink, address } = await open({ title: `Camera-${'x'.repeat(60)}` });
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    const page = await live(address, { ...phone, colorScheme });
    await feed(sink, page, room);
    await page.locator('#depth-panel').tap();
    await page.locator('#pins li').waitFor();
    for (const view of ['Side by side', 'Picture', 'Depth', 'Blend']) {
      await page.getByRole('radio', { name: view, exact: true }).check();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(colorScheme === 'dark' ? 'rgb(16, 19, 23)' : 'rgb(246, 247, 249)');
  });

  it('that is stuck loses its own frames, and no other page does', async () => {
    const { sink, address, context } = await open();
    const [stuck, quick] = [await live(address), await live(address)];
    await feed(sink, quick, room);
    const before = context.report().notSent as number;
    const busy = stuck
      .evaluate('{ const end = performance.now() + 3000; while (performance.now() < end); }')
      .catch(() => {});
    let seq = 1000;
    while ((context.report().notSent as number) < before + 20) {
      await sink.write(room(seq));
      await quick
        .getByText(`frame ${seq} `)
        .or(quick.getByText(`frame ${seq}`))
        .first()
        .waitFor();
      seq++;
    }
    expect(await quick.locator('#stats').textContent()).not.toContain('skipped');
    await busy;
    await sink.write(room(seq));
    await stuck.getByText(/\d+ skipped by this page/).waitFor();
  });

  it('asks for the token, and shows nothing before it is right', async () => {
    const { sink, address } = await open({ token: 'pässword of mine' });
    const page = await visit(address);
    await state(page, 'token');
    await page.getByLabel('Token of this page').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('This token is not the right one.').waitFor();
    await sink.write(room(0));
    expect(await page.locator('#stats').textContent()).toBe('');
    await page.getByLabel('Token of this page').fill('pässword of mine');
    await page.keyboard.press('Enter');
    await state(page, 'live');
    expect(await page.locator('#token-form').isVisible()).toBe(false);
    await feed(sink, page, room);
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
