// npm run pictures   takes the pictures of the live view in README.md and docs/web.md anew
//
// Runs the pipeline demo-live on a free port and opens its page in Debian's Chromium.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { openBrowser } from '../test/support/browser.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Waits until the page shows this frame or a later one. */
async function frame(page: Page, seq: number): Promise<void> {
  const shown = async () =>
    Number(/frame (\d+)/.exec((await page.locator('#stats').textContent()) ?? '')?.[1]);
  while (!((await shown()) >= seq)) await page.waitForTimeout(20);
}

async function take(page: Page, name: string): Promise<void> {
  const png = await page.screenshot();
  await sharp(png).webp({ quality: 82 }).toFile(`${root}docs/${name}.webp`);
  console.log(`docs/${name}.webp`);
}

/** The address of the page, once the run says it. */
async function addressOf(run: ChildProcess): Promise<string> {
  let text = '';
  run.stderr?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  for (;;) {
    const found = /live view at (\S+)/.exec(text);
    if (found) return found[1] as string;
    if (run.exitCode !== null) throw new Error(text);
    await once(run.stderr as NodeJS.ReadableStream, 'data');
  }
}

const run = spawn(`${root}bin/depthline`, ['run', 'demo-live', '--set', 'sinks.web.port=0'], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
const browser = await openBrowser();
try {
  const address = await addressOf(run);
  const open = async (colorScheme: 'light' | 'dark', height: number) => {
    const viewport = { width: 1200, height };
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(address);
    return page;
  };
  const light = await open('light', 1000);
  await frame(light, 420);
  for (const [x, y] of [
    [0.25, 0.3],
    [0.62, 0.7],
  ] as const) {
    const box = await light.locator('#depth-panel').boundingBox();
    if (!box) throw new Error('the page shows no depth');
    await light.mouse.click(box.x + x * box.width, box.y + y * box.height);
  }
  await frame(light, 440);
  await take(light, 'live-view');
  await light.close();
  const dark = await open('dark', 760);
  await dark.getByRole('radio', { name: 'Point cloud' }).check();
  await dark.locator('#cloud-panel canvas').waitFor();
  await frame(dark, 560);
  await take(dark, 'live-view-cloud');
} finally {
  await browser.close();
  run.kill('SIGINT');
}
