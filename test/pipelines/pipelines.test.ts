import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { parseRows } from '../../src/files/index-rows.ts';
import { decodeDepthPng, decodeRgb } from '../../src/imaging/decode.ts';
import { depthline, imbalances, leftBehind, start, summaryOf, workplace } from '../support/cli.ts';
import { makeVideo } from '../support/gstreamer.ts';
import { writePicture } from '../support/pictures.ts';
import { freeEndpoint } from '../support/topic.ts';
import { decodeVideo } from '../support/video.ts';

const folder = join(packageDirectory(), 'pipelines');
const all = readdirSync(folder).map((name) => name.replace('.yaml', ''));

const files = (...path: readonly string[]) => readdirSync(join(...path)).sort();
const endingIn = (ending: string, ...path: readonly string[]) =>
  files(...path).filter((name) => name.endsWith(ending));

async function port(): Promise<string> {
  return (await freeEndpoint()).split(':').at(-1) as string;
}

describe('the shipped pipelines', () => {
  it.each(all)('%s has a description', (name) => {
    const { description } = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'));
    expect(description).toMatch(/^[A-Z].{20,}/);
  });

  it('pass check', async () => {
    expect(await depthline(['check', ...all])).toMatchObject({ code: 0 });
  });
});

describe('make demo', () => {
  it('ends with the command that opens the live view', () => {
    const recipe = execFileSync('make', ['--dry-run', 'demo'], {
      cwd: packageDirectory(),
      encoding: 'utf8',
      timeout: 60_000,
    });
    const told = recipe.slice(recipe.indexOf('bin/depthline run demo\n'));
    expect(told).toContain('bin/depthline run demo-live');
    expect(told).toContain('http://127.0.0.1:8080/');
    expect(all).toContain('demo-live');
  });
});

describe('stereo-demo', () => {
  it('writes depth of rendered pairs, and tells how accurate it is', async () => {
    const cwd = workplace();
    const args = ['run', 'stereo-demo', '--frames', '3', '--stats', 'json'];
    const running = start(args, { cwd, env: { DEPTHLINE_PORT: await port() } });
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    const summary = summaryOf(finished);
    expect(imbalances(summary)).toEqual([0, 0, 0]);
    expect(summary.captured).toBe(3);
    expect(endingIn('.png', cwd, 'out/stereo-demo/depth')).toHaveLength(3);
    const { width, height, data } = await decodeDepthPng(
      join(cwd, 'out/stereo-demo/depth/000000.png'),
    );
    expect({ width, height }).toEqual({ width: 320, height: 224 });
    expect(data.filter((metres) => metres > 0).length).toBeGreaterThan(0.7 * data.length);
  });
});

describe('demo', () => {
  it('writes depth, a video and pictures, and tells how accurate it is', async () => {
    const cwd = workplace();
    const args = ['run', 'demo', '--set', 'source.synthetic-room.frames=31', '--stats', 'json'];
    const running = start(args, { cwd, env: { DEPTHLINE_PORT: await port() } });
    const finished = await running.finished;
    expect(finished.code).toBe(0);
    const summary = summaryOf(finished);
    expect(summary.captured).toBe(31);
    expect(imbalances(summary).every((n) => n === 0)).toBe(true);
    const out = join(cwd, 'out', 'demo');
    expect(endingIn('.png', out, 'depth')).toHaveLength(31);
    expect(endingIn('.png', out, 'pictures')).toEqual(['000000.png', '000030.png']);
    const picture = await decodeRgb(join(out, 'pictures', '000000.png'));
    expect(picture.width).toBeGreaterThan(2 * picture.height);
    expect(decodeVideo(join(out, 'side-by-side.mkv')).pts).toHaveLength(31);
    const accuracy = summary.components['compare-depth'] as { delta1: number; rmse: number };
    expect(accuracy.delta1).toBeGreaterThan(0);
    expect(accuracy.delta1).toBeLessThanOrEqual(1);
    expect(accuracy.rmse).toBeGreaterThan(0);
    expect(summary.components['measure-flicker']).toBeDefined();
    expect(await leftBehind(running)).toEqual([]);
  });
});

describe('video', () => {
  it('turns every frame into depth, and into a video beside the original', async () => {
    const cwd = workplace();
    makeVideo(join(cwd, 'input.mkv'), { frames: 24, width: 320, height: 180, pattern: 'smpte' });
    const env = { DEPTHLINE_VIDEO: join(cwd, 'input.mkv') };
    const finished = await depthline(['run', 'video', '--stats', 'json'], { cwd, env });
    expect(finished.code).toBe(0);
    const summary = summaryOf(finished);
    expect(summary.branches.map(({ delivered, dropped }) => [delivered, dropped])).toEqual([
      [24, []],
      [24, []],
    ]);
    const names = endingIn('.png', cwd, 'out', 'video', 'depth');
    expect(names).toHaveLength(24);
    const depth = await decodeDepthPng(join(cwd, 'out/video/depth', names[0] as string), 0.001);
    expect([depth.width, depth.height]).toEqual([224, 224]);
    const valid = depth.data.filter((metres) => metres >= 0.1 && metres <= 10);
    expect(valid.length).toBeGreaterThan(0.9 * depth.data.length);
    expect(decodeVideo(join(cwd, 'out/video/side-by-side.mkv')).pts).toHaveLength(24);
  });
});

describe('register', () => {
  it('writes depth at the size of the pictures, invalid at the sides', async () => {
    const cwd = workplace();
    makeVideo(join(cwd, 'input.mkv'), { frames: 6, width: 320, height: 180, pattern: 'smpte' });
    const env = { DEPTHLINE_VIDEO: join(cwd, 'input.mkv') };
    const finished = await depthline(['run', 'register', '--stats', 'json'], { cwd, env });
    expect(finished.code).toBe(0);
    const out = join(cwd, 'out', 'registered');
    expect(endingIn('.jpg', out, 'rgb')).toHaveLength(6);
    const [name] = endingIn('.png', out, 'depth') as [string];
    const depth = await decodeDepthPng(join(out, 'depth', name), 0.001);
    expect([depth.width, depth.height]).toEqual([320, 180]);
    // Of 16:9, the network sees the 4:3 in the middle: 240 of 320 columns.
    const row = depth.data.subarray(90 * 320, 91 * 320);
    expect([...row].filter((metres) => metres === 0)).toHaveLength(80);
  });
});

describe('images-to-depth', () => {
  it('gives a depth map of the name and size of each picture, and the same again', async () => {
    const cwd = workplace();
    mkdirSync(join(cwd, 'images'));
    const sizes = {
      '10.png': [320, 240],
      'hall 2.png': [200, 300],
      'kitchen.jpg': [320, 180],
    } as const;
    for (const [n, [name, [width, height]]] of Object.entries(sizes).entries())
      await writePicture(join(cwd, 'images', name), width, height, n);
    const env = { DEPTHLINE_IMAGES: join(cwd, 'images') };
    const out = join(cwd, 'out', 'images');
    const run = async () => {
      const finished = await depthline(['run', 'images-to-depth', '--stats', 'json'], { cwd, env });
      expect(finished.code).toBe(0);
      expect(summaryOf(finished).branches).toMatchObject([
        { delivered: 3, dropped: [] },
        { delivered: 3, dropped: [] },
      ]);
      const found = { depth: files(out), view: files(out, 'view') };
      return { ...found, rows: parseRows(readFileSync(join(out, 'index.csv'), 'utf8')) };
    };
    const first = await run();
    expect(first).toMatchObject({
      depth: ['10.png', 'hall 2.png', 'index.csv', 'kitchen.png', 'view'],
      view: ['10.jpg', 'hall 2.jpg', 'index.csv', 'kitchen.jpg'],
    });
    expect(first.rows.map(({ name }) => name)).toEqual(Object.keys(sizes));
    for (const [name, [width, height]] of Object.entries(sizes)) {
      const stem = name.slice(0, -4);
      const depth = await decodeDepthPng(join(out, `${stem}.png`));
      expect([depth.width, depth.height]).toEqual([width, height]);
      // Both panels have the shape of the picture.
      const view = await decodeRgb(join(out, 'view', `${stem}.jpg`));
      expect(view.width).toBeGreaterThan((2 * 480 * width) / height);
      expect(view.height).toBe(480);
    }
    expect(await run()).toMatchObject({ depth: first.depth, view: first.view });
  });
});

describe('synthesize', () => {
  it('writes pictures with their depth, the same for the same seed', async () => {
    const run = async (seed: string) => {
      const cwd = workplace();
      const env = { DEPTHLINE_SEED: seed, DEPTHLINE_FRAMES: '4' };
      const { code, stderr } = await depthline(['run', 'synthesize', '--stats', 'none'], {
        cwd,
        env,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return join(cwd, 'out', 'synthetic');
    };
    const [first, again, other] = await Promise.all([run('5'), run('5'), run('6')]);
    const stems = (path: string) => files(path).map((name) => name.replace(/\.\w+$/, ''));
    expect(stems(join(first, 'rgb'))).toHaveLength(4);
    expect(stems(join(first, 'depth'))).toEqual(stems(join(first, 'rgb')));
    for (const name of files(first, 'depth')) {
      const bytes = (path: string) => readFileSync(join(path, 'depth', name));
      expect(bytes(again).equals(bytes(first))).toBe(true);
      expect(bytes(other).equals(bytes(first))).toBe(false);
    }
    const depth = await decodeDepthPng(
      join(first, 'depth', files(first, 'depth')[0] as string),
      0.001,
    );
    expect([depth.width, depth.height]).toEqual([320, 240]);
    expect(Math.min(...depth.data)).toBeGreaterThan(0);
  });
});

describe('publish and receive', () => {
  it('carry depth from one process to the other', async () => {
    const env = { DEPTHLINE_PORT: await port() };
    const cwd = workplace();
    const args = ['--stats', 'json'];
    const receiver = start(['run', 'receive', '--frames', '10', ...args], { cwd, env });
    const sender = start(['run', 'publish', ...args], { cwd: workplace(), env });
    const received = await receiver.finished;
    sender.child.kill('SIGINT');
    const sent = await sender.finished;
    expect([received.code, sent.code]).toEqual([0, 0]);
    const summary = summaryOf(received);
    expect(summary.branches[0]).toMatchObject({ delivered: 10, failed: 0 });
    expect([...imbalances(summary), ...imbalances(summaryOf(sent))]).toEqual([0, 0]);
    expect(endingIn('.npy', cwd, 'out', 'received')).toHaveLength(10);
    expect([...(await leftBehind(receiver)), ...(await leftBehind(sender))]).toEqual([]);
  });
});

describe('rtsp', () => {
  it('publishes depth of a camera on the network', async () => {
    const script = fileURLToPath(new URL('../support/rtsp-server.py', import.meta.url));
    const server = spawn('/usr/bin/python3', [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(server.stdout, 'data')) as [Buffer];
      const env = { DEPTHLINE_RTSP: `rtsp://127.0.0.1:${line.toString().trim()}/test` };
      const bind = `sinks.zeromq.bind=${await freeEndpoint()}`;
      const args = ['run', 'rtsp', '--frames', '8', '--stats', 'json', '--set', bind];
      const finished = await depthline(args, { cwd: workplace(), env });
      expect(finished.code).toBe(0);
      const summary = summaryOf(finished);
      expect(imbalances(summary)).toEqual([0]);
      expect(summary.branches[0]?.delivered).toBeGreaterThan(0);
    } finally {
      server.kill('SIGKILL');
    }
  });
});
