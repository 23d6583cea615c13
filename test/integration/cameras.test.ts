import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CameraStats } from '../../src/core/run-stats.ts';
import { openBrowser } from '../support/browser.ts';
import {
  printed,
  type Running,
  type Summary,
  start,
  startProcess,
  workplace,
} from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/gstreamer.ts';
import { pointAt, state } from '../support/live-page.ts';
import { putModel } from '../support/models.ts';
import { processesOf } from '../support/processes.ts';
import { pythonWith } from '../support/python.ts';

const names = ['front', 'rear', 'dock-2'] as const;
/** The model's depth of a picture in the pattern of the camera, metres: 0.01 R + 0.001 G + 0.0001 B. */
const metres = { front: '2.55 m', rear: '0.26 m', 'dock-2': '2.83 m' } as const;
const size = { width: 8, height: 6 };

// A camera fails only if its process dies, not because the machine is slow.
const restart = '{ limit: 0, stalled-after: 60s, first-frame-within: 60s }';

const pipeline = (port: number) => `
cameras:
  front: { test-pattern: &it { width: 8, height: 6, fps: 20, realtime: true, pattern: red, restart: ${restart} } }
  rear: { test-pattern: { <<: *it, pattern: green } }
  dock-2: { test-pattern: { <<: *it, pattern: white } }
operators:
  - estimate-depth: { model: metres.onnx }
sinks:
  - zeromq: { bind: "tcp://127.0.0.1:${port}", topic: depth }
    queue: { limit: 1, when-full: drop-oldest }
  - web: { port: 0 }
    queue: { limit: 1, when-full: drop-oldest }
`;

describe('a run of several cameras', () => {
  let run: Running;
  let endpoint: string;
  let browser: Browser;
  let page: Page;
  /** Of the newest line of statistics. */
  let cameras: readonly CameraStats[] = [];
  let summary: Summary | undefined;
  let served: string;

  beforeAll(async () => {
    const port = await freePort();
    endpoint = `tcp://127.0.0.1:${port}`;
    const cwd = workplace({ 'p.yaml': pipeline(port) });
    putModel(cwd, 'metres');
    run = start(['run', 'p.yaml', '--stats', 'json', '--serve', '0'], { cwd });
    createInterface({ input: run.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const told = JSON.parse(line);
      if (told.type === 'stats') cameras = told.cameras;
      else if (told.type === 'summary') summary = told;
    });
    [browser, served] = await Promise.all([
      openBrowser(),
      printed(run, /serve: .* at (http:\S+)/).then(([, address]) => address as string),
    ]);
    const [, address = ''] = await printed(run, /web: live view at (http:\S+)/);
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(address);
    await state(page, 'live');
    await until(() => cameras.length === 3 && cameras.every(({ processed }) => processed > 0));
  });
  afterAll(async () => {
    await browser?.close();
    run?.child.kill('SIGKILL');
    await run?.finished;
  });

  it('has a page that shows the camera that is chosen, also by the address', async () => {
    // It goes on telling the distance where the pointer rests.
    await pointAt(page, [3, 2], size);
    const shows = (name: keyof typeof metres) =>
      page.locator('#distance').getByText(metres[name], { exact: true }).waitFor();
    await shows('front');
    for (const name of ['rear', 'dock-2'] as const) {
      await page.getByLabel('Camera').selectOption(name);
      expect(new URL(page.url()).searchParams.get('camera')).toBe(name);
      await shows(name);
    }
    await page.reload();
    await pointAt(page, [3, 2], size);
    await shows('dock-2');
  });

  it('gives the picture of each camera, and asks which', async () => {
    const snapshot = (query: string) => fetch(`${served}snapshot${query}`, { method: 'POST' });
    for (const name of names) {
      const answer = await snapshot(`?camera=${name}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
      await answer.arrayBuffer();
    }
    expect((await snapshot('')).status).toBe(400);
    expect(await (await snapshot('?camera=reer')).text()).toMatch(/no camera .*reer.*front, rear/);
  });

  it('is read by camera in Python', async () => {
    const script = `
import sys
sys.path.insert(0, sys.argv[1])
from depth_subscriber import subscribe_depth
for n, frame in enumerate(subscribe_depth(sys.argv[2], camera="rear")):
    print(frame.topic, frame.camera, round(float(frame.depth[2, 3]), 3))
    if n == 3:
        break
`;
    const folder = new URL('../../examples', import.meta.url).pathname;
    const args = ['-c', script, folder, endpoint];
    const { stdout } = await startProcess(pythonWith('zmq', 'numpy'), args).finished;
    expect(stdout.trim().split('\n')).toEqual(Array(4).fill('depth/rear rear 0.255'));
  });

  it('goes on without a camera whose process is killed, and says which', async () => {
    const [victim] = processesOf('capture-host', run.child.pid) as [number];
    process.kill(victim, 'SIGKILL');
    const [, dead = ''] = await printed(
      run,
      /camera (\S+) has failed: .*killed by SIGKILL; 2 cameras go on/,
    );
    await until(() => cameras.find(({ name }) => name === dead)?.state === 'failed');
    const others = names.filter((name) => name !== dead);
    const processed = () =>
      others.map((one) => cameras.find(({ name }) => name === one)?.processed ?? 0);
    const before = processed();
    await until(() => processed().every((n, i) => n > (before[i] as number) + 20));
    expect(processesOf('capture-host', run.child.pid)).toHaveLength(2);
    // The page of another one says it, too.
    await page.getByLabel('Camera').selectOption(others[0] as string);
    await page.getByText(`Camera ${dead} has failed.`).waitFor();
    await page
      .locator('#stats')
      .filter({ hasText: /frame \d/ })
      .waitFor();
    // Its own page, too, without a frame of the one that was shown before.
    await page.getByLabel('Camera').selectOption(dead);
    await page.getByText(`Camera ${dead} has failed.`).waitFor();
    expect(await page.locator('#stats').textContent()).toBe('');
    expect(await page.locator('#depth-panel canvas').first().isVisible()).toBe(false);

    run.child.kill('SIGINT');
    const { code, stderr } = await run.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`1 of 3 cameras failed: ${dead}`));
    const rows = summary?.branches ?? [];
    expect(rows.map(({ name }) => name)).toEqual(
      names.flatMap((name) => [`${name}/zeromq`, `${name}/web`]),
    );
    for (const { captured, added, delivered, failed, dropped } of rows) {
      const lost = dropped.reduce((sum, { count }) => sum + count, 0);
      expect(delivered + failed + lost).toBe(captured + added);
    }
  });
});
