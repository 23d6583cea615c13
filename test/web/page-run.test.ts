import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { RunStats } from '../../src/core/run-stats.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { web } from '../../src/sinks/web.ts';
import { syntheticRoom } from '../../src/sources/synthetic-room.ts';
import { testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';
import { feed, livePages, slope } from '../support/live-page.ts';
import { collector } from '../support/parts.ts';

const { open, live } = livePages();

describe('what the page says of the run', () => {
  it('is the ledger of each branch, and the stage that is waiting', async () => {
    const port = 0;
    let address = '';
    const log = {
      debug() {},
      warn() {},
      info(message: string) {
        address = /live view at (\S+)/.exec(message)?.[1] ?? address;
      },
    };
    const run = await startPipeline(
      definePipeline({
        source: syntheticRoom({ width: 32, height: 24, fps: 30, realtime: true }),
        sinks: [
          { sink: web({ port }) },
          { name: 'slow', sink: collector(systemClock, { ms: 400 })({}) },
        ],
      }),
      { log },
    );
    try {
      const page = await live(address);
      const cell = (row: string, column: number) =>
        page.getByRole('row', { name: row }).getByRole('cell').nth(column).textContent();
      await page.getByRole('rowheader', { name: 'slow', exact: true }).first().waitFor();
      await page.getByText(/^The source waits for /).waitFor();
      // A slow branch that blocks is named; the page itself is not held up.
      await expect.poll(() => cell('slow queue', 0)).toBe('blocked by slow');
      const told = Number(await cell('web', 0));
      expect(told).toBeGreaterThan(0);
      expect(told).toBeLessThanOrEqual(run.stats().captured);
      await until(() => run.stats().captured > told + 2);
      await expect.poll(async () => Number(await cell('web', 0))).toBeGreaterThan(told);
    } finally {
      run.stop();
      expect((await run.done).error).toBeUndefined();
    }
  });

  it('is every drop with its stage and reason', async () => {
    const stats: RunStats = {
      ...testContext().runStats(),
      branches: [
        {
          ...{ name: 'web', captured: 100, added: 0, delivered: 89, failed: 1, inFlight: 2 },
          ageMs: 30,
          dropped: [{ stage: 'web queue', reason: 'queue full', count: 8 }],
        },
      ],
      stages: [
        {
          ...{ stage: 'camera', kind: 'source', state: 'stalled', quietMs: 4100 },
          ...{ entered: 100, left: 100, inside: 0, dropped: 0, failed: 0, restarts: 0 },
        },
      ],
    };
    const { address } = await open({}, { runStats: () => stats });
    const page = await live(address);
    await page.getByText('camera has stalled for 4.1 s.').waitFor();
    const table = page.getByRole('table', { name: 'Ledger of each branch' });
    const texts = (of: Locator) => of.getByRole('row').nth(1).locator('th, td').allTextContents();
    expect(await texts(table)).toEqual(['web', '100', '89', '8', '1', '2']);
    const drops = page.getByRole('list', { name: 'Dropped frames by stage and reason' });
    expect(await drops.getByRole('listitem').allTextContents()).toEqual([
      'web: 8 at web queue, queue full',
    ]);
    expect(await texts(page.getByRole('table', { name: 'Stages' }))).toEqual([
      ...['camera', 'stalled for 4.1 s', '0', '100'],
    ]);
  });

  it.each([390, 1280])('shows every number beside long names, %i pixels wide', async (width) => {
    const name = `left-camera-${'in-the-hall-'.repeat(8)}`;
    const stats: RunStats = {
      ...testContext().runStats(),
      branches: [
        {
          ...{ name, captured: 2592000, added: 0, delivered: 2591000, failed: 957, inFlight: 2 },
          ageMs: 30,
          dropped: [{ stage: `${name} queue`, reason: 'queue full', count: 43 }],
        },
      ],
      stages: [
        {
          ...{ stage: `${name} queue`, kind: 'queue', state: 'blocked', on: name, quietMs: 0 },
          ...{ entered: 2592000, left: 2591955, inside: 2, dropped: 43, failed: 0, restarts: 0 },
        },
      ],
    };
    const { address } = await open({}, { runStats: () => stats });
    const page = await live(address, { viewport: { width, height: 844 } });
    for (const table of ['ledger', 'stages']) {
      await page.locator(`#${table} tbody td`).last().waitFor();
      // Nothing has to be scrolled sideways.
      const hidden = `(({ parentElement: { scrollWidth, clientWidth } }) => scrollWidth - clientWidth)(document.getElementById('${table}'))`;
      expect(await page.evaluate(hidden)).toBe(0);
    }
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  });

  it('is the history of frames per second and of age, also for a screen reader', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await feed(sink, page, slope);
    const chart = page.getByRole('img', { name: /^Age of the frames: .+, \d+ ms to \d+ ms in/ });
    await chart.waitFor();
    expect(await chart.locator('path').getAttribute('d')).toMatch(/^M[\d.]+ [\d.]+/);
    await page.getByRole('img', { name: /^Frames per second: \d+, \d+ to \d+ in/ }).waitFor();
    // Frames that no longer come.
    await page.getByText(/no frame for \d+ s/).waitFor();
  });
});
