import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, type Observable, take, toArray } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import {
  definePipeline,
  file,
  gstreamer,
  resize,
  smooth,
  startPipeline,
  subscribeDepth,
  web,
  zeromq,
} from '../../src/index.ts';
import { testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';
import { closeAll, watch } from '../support/live-socket.ts';
import { freeEndpoint } from '../support/topic.ts';

const folder = mkdtempSync(join(tmpdir(), 'gstreamer-depth-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A launch line that delivers these bytes, `count` times. */
function bytes(name: string, data: Uint8Array, caps: string, count = 1): string {
  const path = join(folder, name);
  writeFileSync(path, data);
  return `multifilesrc location=${path} num-buffers=${count} caps="${caps.replaceAll('"', '\\"')}"`;
}

async function read(launch: string, rest: Record<string, unknown> = {}) {
  const context = testContext();
  const options = gstreamer.options.parse({ launch, format: 'depth', live: false, ...rest });
  const frames = (await gstreamer.create(options, context)) as Observable<DepthFrame>;
  try {
    return await lastValueFrom(frames.pipe(take(5), toArray()));
  } finally {
    await context.close();
  }
}

describe('grey pictures', () => {
  // Rows of 3 × 2 bytes are padded to 8.
  const padded = Uint16Array.of(1000, 0, 65_535, 7, 2500, 1, 1234, 7);
  const le = new Uint8Array(padded.buffer);
  const size = 'width=3,height=2,framerate=30/1';
  const view = { left: 0, top: 0, width: 3, height: 2, source: { width: 3, height: 2 } };

  test('of millimetres become metres, without the padding of their rows', async () => {
    const launch = bytes('le.raw', le, `video/x-raw,format=GRAY16_LE,${size}`, 2);
    const frames = await read(launch, { intrinsics: { fx: 3, fy: 3, cx: 1, cy: 0.5 } });
    expect(frames).toHaveLength(2);
    expect(frames[0]).toMatchObject({ kind: 'depth', width: 3, height: 2, view, seq: 0 });
    expect(frames[0]?.intrinsics).toMatchObject({ fx: 3, cx: 1 });
    expect(frames[0]?.data).toEqual(Float32Array.of(1, 0, 65.535, 2.5, 0.001, 1.234));
    expect(frames[0]).not.toHaveProperty('unit');
    expect(frames[1]?.data.buffer).not.toBe(frames[0]?.data.buffer);
  });

  test('in big-endian order, as 16-bit PNG files are decoded', async () => {
    const swapped = Buffer.from(le).swap16();
    const launch = bytes('be.raw', swapped, `video/x-raw,format=GRAY16_BE,${size}`);
    const [frame] = await read(launch, { scale: 0.0001 });
    expect(frame?.data[0]).toBeCloseTo(0.1, 6);
    expect(frame?.data[5]).toBeCloseTo(0.1234, 6);
  });

  test('of 8-bit disparity', async () => {
    const grey = Uint8Array.of(0, 20, 40, 9, 1, 2, 4, 9);
    const launch = bytes('disparity.raw', grey, `video/x-raw,format=GRAY8,${size}`);
    const [frame] = await read(launch, { values: 'disparity', scale: 40 });
    expect(frame?.data).toEqual(Float32Array.of(0, 2, 1, 40, 20, 10));
    const [relative] = await read(launch, { values: 'disparity', unit: 'relative' });
    expect(relative).toMatchObject({ unit: 'relative' });
  });

  test('of a live source come with its time stamps', async () => {
    const launch = `videotestsrc is-live=true ! video/x-raw,format=GRAY16_LE,width=8,height=6,framerate=60/1`;
    const frames = await read(launch, { live: true });
    expect(frames).toHaveLength(5);
    const steps = frames.slice(1).map(({ pts }, n) => pts - (frames[n] as DepthFrame).pts);
    for (const step of steps) expect(step).toBeGreaterThan(16_000_000n);
  });
});

describe('tensors of nnstreamer', () => {
  const depth = Float32Array.of(Number.NaN, 0.5, 0, 2, -1, Number.POSITIVE_INFINITY);
  const raw = new Uint8Array(depth.buffer);

  test('float32 depth arrives bit by bit', async () => {
    const caps =
      'other/tensors,format=static,num_tensors=1,types=float32,dimensions=1:3:2:1,framerate=30/1';
    const [frame] = await read(bytes('float.raw', raw, caps));
    expect(frame).toMatchObject({ width: 3, height: 2 });
    expect(new Uint8Array((frame as DepthFrame).data.buffer)).toEqual(raw);
  });

  test('a picture beside it is the picture of the frame', async () => {
    const picture = Uint8Array.from({ length: 18 }, (_, n) => n * 10);
    const both = Buffer.concat([picture, raw]);
    const caps =
      'other/tensors,format=static,num_tensors=2,types=(string)"uint8,float32",dimensions=(string)"3:3:2:1,1:3:2:1"';
    const [frame] = await read(bytes('both.raw', both, caps), { unit: 'relative' });
    expect(frame?.data).toEqual(depth);
    expect(frame?.image).toMatchObject({ kind: 'image', width: 3, height: 2, seq: 0 });
    expect([...(frame?.image?.data ?? [])]).toEqual([...picture]);
  });
});

describe('what is not depth ends the run with the reason, and is not tried again', () => {
  const tensor = 'other/tensors,format=static,num_tensors=1,types=float32,dimensions=1:3:2:1';
  test.each([
    ['videotestsrc ! video/x-raw,format=RGB', /must end in video\/x-raw of GRAY16_LE/],
    ['videotestsrc ! video/x-raw,format=GRAY8', /8-bit values.*set "scale"/],
    [bytes('short.raw', new Uint8Array(20), tensor), /20 bytes instead of 24 \(3×2 float32/],
    [bytes('flexible.raw', new Uint8Array(8), 'other/tensors,format=flexible'), /use static ones/],
  ])('%s', async (launch, message) => {
    const restarts: string[] = [];
    const context = testContext({ restarted: (why: string) => restarts.push(why) });
    const options = gstreamer.options.parse({ launch, format: 'depth', live: false });
    const reading = async () =>
      lastValueFrom((await gstreamer.create(options, context)).pipe(toArray()));
    await expect(reading()).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(message),
    });
    expect(restarts).toEqual([]);
    await context.close();
  });
});

test.each([
  [{ unit: 'm' }, /is for depth only; add "format: depth"/],
  [{ format: 'depth', values: 'disparity' }, /focal length.*or set "unit: relative"/],
])('options that do not fit are refused: %j', (rest, message) => {
  const { error } = gstreamer.options.safeParse({ launch: 'videotestsrc', ...rest });
  expect(error?.issues[0]?.message).toMatch(message);
});

test('everything behind it works without a model', async () => {
  const endpoint = await freeEndpoint();
  const port = Number(new URL((await freeEndpoint()).replace('tcp', 'http')).port);
  const caps = 'video/x-raw,format=GRAY16_LE,width=16,height=12,framerate=30/1';
  const launch = `videotestsrc is-live=true ! ${caps}`;
  const stop = new AbortController();
  const pipeline = definePipeline({
    source: gstreamer({ launch, format: 'depth' }),
    operators: [resize({ width: 8, height: 6 }), smooth()],
    sinks: [
      zeromq({ bind: endpoint }),
      web({ port }),
      file({ directory: join(folder, 'npy'), format: 'npy' }),
    ],
  });
  const run = await startPipeline(pipeline, { signal: stop.signal });
  const page = await watch({ address: `http://127.0.0.1:${port}/` });
  for await (const frame of subscribeDepth(endpoint)) {
    expect(frame).toMatchObject({ kind: 'depth', width: 8, height: 6 });
    break;
  }
  await until(() => page.seqs.length > 0);
  stop.abort();
  for (const { delivered } of (await run.done).branches) expect(delivered).toBeGreaterThan(0);
  await closeAll();
  const written = readdirSync(join(folder, 'npy')).filter((name) => name.endsWith('.npy'));
  expect(written.length).toBeGreaterThan(0);
});
