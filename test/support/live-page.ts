import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  errors,
  type Page,
} from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Sink } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { web } from '../../src/sinks/web.ts';
import { openBrowser } from './browser.ts';
import { type TestContext, testContext } from './context.ts';
import { depthFrame, imageFrame } from './frames.ts';
import { until } from './gstreamer.ts';
import { isWanted } from './live-socket.ts';

export interface OpenSink {
  readonly sink: Sink;
  readonly address: string;
  readonly context: TestContext;
}

/** `web` sinks and pages of a test file, closed after each test; an error in a page fails its test. */
export function livePages() {
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
    overrides?: Partial<ComponentContext>,
  ): Promise<OpenSink> {
    const context = testContext(overrides);
    sinks.push(context);
    const sink = (await web.create(web.options.parse({ port: 0, ...options }), context)) as Sink;
    return { sink, context, address: context.report().address as string };
  }

  async function visit(address: string, settings: BrowserContextOptions = {}): Promise<Page> {
    const viewport = { width: 1280, height: 800 };
    const window = await browser.newContext({ viewport, ...settings });
    windows.push(window);
    // A busy machine takes longer to draw a page than Playwright waits by itself.
    window.setDefaultTimeout(60_000);
    const page = await window.newPage();
    page.on('pageerror', ({ message }) => problems.push(message));
    await page.goto(address);
    return page;
  }

  /** Opens the page and waits until it watches. */
  async function live(address: string, settings?: BrowserContextOptions): Promise<Page> {
    const page = await visit(address, settings);
    await state(page, 'live');
    return page;
  }

  return { open, visit, live };
}

/** Waits for the state of a page's connection. */
export function state(page: Page, name: string): Promise<void> {
  return page.locator(`#connection[data-state=${name}]`).waitFor();
}

/**
 * Writes frames until the page shows the last that was written, so that none is on its way to it. The `seq` of
 * that frame.
 */
export async function feed(sink: Sink, page: Page, frame: (seq: number) => Frame): Promise<number> {
  // A page announces that it watches; what is written before the server has heard it is not sent.
  await until(() => isWanted({ sink }) !== false);
  const before = await shownSeq(page);
  for (let tries = 0, timeout = 500; tries < 6; tries++, timeout *= 2) {
    const written = frame(tries);
    if (written.seq === before) continue;
    await sink.write(written);
    try {
      await shows(page, written.seq, timeout);
      return written.seq;
    } catch (error) {
      // Another page was meant by `isWanted`.
      if (!(error instanceof errors.TimeoutError)) throw error;
    }
  }
  throw new Error('the page shows no frame');
}

/** Waits until the page shows the frame. */
export function shows(page: Page, seq: number, timeout?: number): Promise<void> {
  const text = page.locator('#stats').filter({ hasText: new RegExp(`frame ${seq}\\b`) });
  return text.waitFor(timeout === undefined ? {} : { timeout });
}

/** The frame that the page shows, NaN before the first. */
export async function shownSeq(page: Page): Promise<number> {
  const [, seq] = /frame (\d+)/.exec((await page.locator('#stats').textContent()) ?? '') ?? [];
  return Number(seq);
}

/** Points at the middle of a pixel of the depth; the text of the distance. */
export async function pointAt(
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
  await page.getByText(`at ${column}, ${row}`, { exact: true }).waitFor();
  return (await page.locator('#distance').textContent()) ?? '';
}

/** A slope of 32 × 24 pixels with a picture; the right column is not measured. */
export const slope = (seq: number): DepthFrame => ({
  ...depthFrame(32, 24, seq, (x, y) => (x === 31 ? 0 : 0.5 + x * 0.2037 + y * 0.0113)),
  image: imageFrame(32, 24, seq),
});

/** Presses a button that saves; the name and the place of the file. */
export async function saved(page: Page, name: string): Promise<{ name: string; path: string }> {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name }).click();
  const download = await downloading;
  return { name: download.suggestedFilename(), path: await download.path() };
}
