import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Page } from 'playwright-core';
import { measured, slope } from '../src/benchmark/statistics.ts';
import { table } from '../src/cli/table.ts';
import { memoryMiB } from '../src/device/processes.ts';
import {
  definePipeline,
  estimateDepth,
  imbalance,
  startPipeline,
  testPattern,
  web,
} from '../src/index.ts';
import { openBrowser } from '../test/support/browser.ts';
import { descriptorsOf, quarters, settledOf } from './support/memory-samples.ts';

const command = new Command('soak pages')
  .option('--minutes <n>', 'length of the run', Number, 10)
  .option('--pages <n>', 'pages at a time', Number, 3)
  .option('--model <name-or-path>', '', 'fastdepth')
  .parse();
const { minutes, pages, model } = command.opts<{ minutes: number; pages: number; model: string }>();

let address = '';
const warnings: string[] = [];
const run = await startPipeline(
  definePipeline({
    name: 'soak-pages',
    source: testPattern({ width: 224, height: 224, fps: 30, realtime: true }),
    operators: [estimateDepth({ model, tuned: 'off' })],
    sinks: [{ sink: web({ port: 0 }), queue: { limit: 1, whenFull: 'drop-oldest' } }],
  }),
  {
    log: {
      debug() {},
      info(message) {
        address = /live view at (\S+)/.exec(message)?.[1] ?? address;
      },
      warn: (message) => warnings.push(message),
    },
  },
);
const browser = await openBrowser();
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 60_000;
const problems: string[] = [];
let opened = 0;

/** What is done with a page before it is closed, in turn. */
const uses: readonly ((page: Page) => Promise<unknown>)[] = [
  (page) => page.getByRole('button', { name: 'Pause' }).click(),
  (page) => page.getByRole('radio', { name: 'Point cloud' }).check(),
  (page) => page.reload(),
  (page) => page.getByRole('radio', { name: 'Blend' }).check(),
  // It no longer reads.
  (page) =>
    page
      .evaluate('{ const end = performance.now() + 1500; while (performance.now() < end); }')
      .catch(() => {}),
];

/** Opens a page, uses it for some seconds, closes it, and again. */
async function visitor(): Promise<void> {
  while (elapsed() < minutes) {
    const window = await browser.newContext();
    try {
      const page = await window.newPage();
      page.on('pageerror', ({ message }) => problems.push(message));
      const use = uses[opened++ % uses.length];
      await page.goto(address);
      await page.getByText(/frame \d+/).waitFor();
      await use?.(page);
      await sleep(1000 + 1000 * (opened % 3));
    } catch (error) {
      problems.push((error as Error).message.split('\n')[0] as string);
    } finally {
      await window.close();
    }
  }
}

const samples: { minute: number; mib: number; used: number; descriptors: number }[] = [];
const sampler = setInterval(() => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  samples.push({
    minute: elapsed(),
    mib: memoryMiB([process.pid]),
    used: (heapUsed + external) / 2 ** 20,
    descriptors: descriptorsOf(process.pid),
  });
}, 2000);

console.log(`${minutes} minutes, ${pages} pages that open and close`);
await Promise.all(Array.from({ length: pages }, visitor));
clearInterval(sampler);
const before = run.stats().captured;
await sleep(3000);
const idle = run.stats().captured - before;
await browser.close();
run.stop();
const summary = await run.done;

const settled = settledOf(samples, minutes);
const perHour = (of: 'mib' | 'used' | 'descriptors') =>
  (60 * slope(settled.map((one) => [one.minute, one[of]] as const))).toFixed(1);
const used = samples.map(({ minute, used }) => ({ minute, mib: used }));
console.log(
  table([
    ['main process', 'by quarter', 'per hour'],
    ['MiB', quarters(samples, minutes), perHour('mib')],
    ['MiB in use', quarters(used, minutes), perHour('used')],
    [
      'descriptors',
      measured(settled.map(({ descriptors }) => descriptors)).median.toFixed(0),
      perHour('descriptors'),
    ],
  ]),
);
const off = summary.branches.map(imbalance);
const dropped = summary.branches.flatMap((branch) =>
  branch.dropped.map(({ count, stage, reason }) => `${count} at ${stage}, ${reason}`),
);
console.log(`${opened} pages opened; web: ${JSON.stringify(summary.components.web)}`);
console.log(
  `${summary.captured} frames captured, ${summary.branches[0]?.delivered} delivered; dropped: ${dropped.join('; ') || 'none'}; ledger off by ${off.join(' and ')}`,
);
console.log(`${idle} frames captured in 3 s after the last page had closed`);
for (const one of [...warnings, ...problems]) console.log(one);
if (summary.error) console.log(`ended by: ${summary.error.message}`);
const bad = summary.error !== undefined || problems.length > 0 || off.some((n) => n !== 0);
process.exit(bad ? 1 : 0);
