import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { decodeDepthPng, decodeRgb } from '../../src/imaging/decode.ts';
import { subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { printed, start, workplace } from '../support/cli.ts';
import { until } from '../support/gstreamer.ts';
import {
  feed,
  livePages,
  pointAt,
  saved,
  shownSeq,
  shows,
  slope,
  state,
} from '../support/live-page.ts';
import { freeEndpoint } from '../support/topic.ts';

const { open, live } = livePages();

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
    await printed(running, /live view at/);
    // From here on the topic gives each frame that the page shows.
    await until(() => frames.size > 0);
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

  it('connects again when the run is killed and started again', async () => {
    const port = (await freeEndpoint()).split(':').at(-1);
    const cwd = workplace({
      'again.yaml': `
source:
  synthetic-room:
    width: 64
    height: 48
    fps: ${'${FPS}'}
    realtime: true
sinks:
  - web: { port: ${port}, title: "${'${TITLE}'}" }
`,
    });
    const run = async (TITLE: string, FPS: string) => {
      const running = start(['run', 'again.yaml'], { cwd, env: { ...process.env, TITLE, FPS } });
      await printed(running, /live view at/);
      return running;
    };
    const first = await run('First', '20');
    const page = await live(`http://127.0.0.1:${port}/`);
    await page.getByText(/frame \d{2}/).waitFor();
    first.child.kill('SIGKILL');
    await state(page, 'lost');
    // Its frames stay, so that the page cannot be past the first ones.
    const second = await run('Second', '0.1');
    await state(page, 'live');
    await page.getByRole('heading', { name: 'Second' }).waitFor();
    await page.getByText(/frame \d\b/).waitFor();
    second.child.kill('SIGINT');
    expect(await second.finished).toMatchObject({ code: 0 });
  });
});

describe('the page', () => {
  it('keeps its frame while paused, and goes on with the newest', async () => {
    const { sink, address, context } = await open();
    const page = await live(address);
    await feed(sink, page, slope);
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'paused');
    const seq = await shownSeq(page);
    let wanted: boolean | undefined;
    sink.wanted?.subscribe((now) => {
      wanted = now;
    });
    while (wanted) await sleep(5);
    const { sent } = context.report();
    for (let i = 0; i < 10; i++) await sink.write(slope(1000 + i));
    expect(context.report().sent).toBe(sent);
    expect(await shownSeq(page)).toBe(seq);
    expect(await pointAt(page, [10, 4], { width: 32, height: 24 })).toBe('2.58 m');
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'live');
    expect(await feed(sink, page, (n) => slope(2000 + n))).toBeGreaterThanOrEqual(2000);
  });

  it('saves the picture, and the depth in millimetres', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, slope);
    await page.getByRole('button', { name: 'Pause' }).click();
    await state(page, 'paused');
    const seq = await shownSeq(page);
    const depth = await saved(page, 'Save depth');
    expect(depth.name).toBe(`depth-${seq}.png`);
    const { width, height, data } = await decodeDepthPng(depth.path);
    expect([width, height]).toEqual([32, 24]);
    const wrong = [...slope(seq).data].filter(
      (metres, i) => Math.abs(metres - (data[i] as number)) > 0.00051,
    );
    expect(wrong).toEqual([]);
    const picture = await saved(page, 'Save picture');
    expect(picture.name).toBe(`picture-${seq}.png`);
    expect(await decodeRgb(picture.path)).toMatchObject({ width: 32, height: 24 });
  });

  it('says where nothing was measured, and no metres for relative depth', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, slope);
    expect(await pointAt(page, [31, 3], { width: 32, height: 24 })).toBe('not measured');
    expect(await page.locator('#bar-labels').textContent()).toMatch(/^\d\.\d\d m/);
    await feed(sink, page, (seq) => ({ ...slope(seq + 1000), unit: 'relative' }));
    expect(await pointAt(page, [10, 4], { width: 32, height: 24 })).toBe('2.58 (relative)');
    await page.locator('#depth-panel').click();
    expect(await page.locator('#bar-labels').textContent()).toBe('nearfar');
    expect(await page.locator('#live').textContent()).not.toMatch(/\d m\b/);
    expect(await page.getByText('m', { exact: true }).filter({ visible: true }).count()).toBe(0);
  });

  it('is used with the keyboard alone, and names what it shows', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, slope);
    await page.getByRole('application', { name: 'Depth', exact: true }).focus();
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
    await feed(sink, page, slope);
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
    await feed(sink, page, slope);
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
    await feed(sink, quick, slope);
    const before = context.report().notSent as number;
    // While its dialog is open, a page does nothing else.
    const [dialog] = await Promise.all([
      stuck.waitForEvent('dialog'),
      stuck.evaluate('setTimeout(alert)'),
    ]);
    let seq = 1000;
    while ((context.report().notSent as number) < before + 20) {
      await sink.write(slope(seq));
      await shows(quick, seq++);
    }
    expect(await quick.locator('#stats').textContent()).not.toContain('skipped');
    await dialog.accept();
    await sink.write(slope(seq));
    await stuck.getByText(/\d+ skipped by this page/).waitFor();
  });
});
