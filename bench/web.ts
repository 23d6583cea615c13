import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { measured } from '../src/benchmark/statistics.ts';
import { encodeJpeg } from '../src/imaging/encode.ts';
import {
  type DepthFrame,
  definePipeline,
  defineSink,
  defineSource,
  estimateDepth,
  runPipeline,
  startPipeline,
  syntheticRoom,
  web as webSink,
} from '../src/index.ts';
import { LiveFrame } from '../src/web/live-frame.ts';
import { protocol, unpackLive } from '../src/web/live-message.ts';
import { openBrowser } from '../test/support/browser.ts';
import type { Bench, BenchOptions } from './support/bench.ts';

const fps = 30;
const pageCounts = [0, 1, 3] as const;

/** Bytes and CPU time of the live view, with pages in a real browser. */
export const web: Bench = {
  name: 'web',
  summary: `${fps} fps of 224×224 depth and picture to pages in Chromium`,
  async run({ model, ...options }, print) {
    const frames = await record(model);
    const sizes = await Promise.all(frames.map(bytesOf));
    print('depth on the wire', 'bytes per frame', measured(sizes.map(({ depth }) => depth)));
    print('picture on the wire', 'bytes per frame', measured(sizes.map(({ picture }) => picture)));
    const browser = await openBrowser();
    const results = new Map(
      pageCounts.map((n) => [
        n,
        { cpuMs: [] as number[], shown: [] as number[], age: [] as number[] },
      ]),
    );
    for (let round = 0; round < options.rounds; round++) {
      for (const n of pageCounts) {
        const { cpuMs, shown, ageMs } = await watched(frames, n, browser, options);
        results.get(n)?.cpuMs.push(cpuMs);
        results.get(n)?.shown.push(...shown);
        results.get(n)?.age.push(...ageMs);
      }
    }
    const read: number[] = [];
    for (let round = 0; round < options.rounds; round++)
      read.push(...(await readers(frames, 3, options)));
    print('3 readers that only read: frames got by each', 'fps', measured(read));
    await browser.close();
    for (const [n, { cpuMs, shown, age }] of results) {
      print(`${n} pages: CPU time of the run`, 'ms per frame', measured(cpuMs));
      if (n === 0) continue;
      print(`${n} pages: frames shown by each`, 'fps', measured(shown));
      print(`${n} pages: age when shown`, 'ms', measured(age));
    }
  },
};

/** Frames of FastDepth of rendered rooms, so that they compress as they do in use. */
async function record(model: string): Promise<DepthFrame[]> {
  const frames: DepthFrame[] = [];
  const keep = defineSink({
    name: 'keep',
    summary: 'Keeps frames.',
    accepts: ['depth'],
    options: z.strictObject({}),
    examples: [{}],
    create: async () => ({ write: (frame) => void frames.push(frame as DepthFrame) }),
  });
  await runPipeline(
    definePipeline({
      source: syntheticRoom({ width: 224, height: 224, frames: 60 }),
      operators: [estimateDepth({ model, tuned: 'off' })],
      sinks: [keep({})],
    }),
  );
  return frames;
}

async function bytesOf(frame: DepthFrame) {
  const live = new LiveFrame(
    frame,
    (image) => encodeJpeg(image, 80),
    () => 0,
  );
  const { header } = unpackLive(Uint8Array.from(await live.message()).buffer);
  return { depth: header.depth?.bytes ?? 0, picture: header.picture?.bytes ?? 0 };
}

/** The run alone costs as much as without pages; what more it costs is theirs. */
async function watched(
  frames: readonly DepthFrame[],
  pages: number,
  browser: Browser,
  { seconds, warmUp }: Pick<BenchOptions, 'seconds' | 'warmUp'>,
) {
  const { run, address } = await serve(frames);
  const window = await browser.newContext();
  const tabs = await Promise.all(
    Array.from({ length: pages }, async () => {
      const page = await window.newPage();
      await page.goto(address);
      await page.getByText(/frame \d+/).waitFor();
      return page;
    }),
  );
  await sleep(warmUp * 1000);
  const read = () =>
    Promise.all(tabs.map(async (page) => (await page.locator('#stats').textContent()) ?? ''));
  const [textsBefore, cpuBefore, begun, captured] = [
    await read(),
    process.cpuUsage(),
    performance.now(),
    run.stats().captured,
  ];
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(cpuBefore);
  const taken = (performance.now() - begun) / 1000;
  const count = run.stats().captured - captured;
  const texts = await read();
  await window.close();
  run.stop();
  const { error } = await run.done;
  if (error) throw error;
  return {
    cpuMs: (user + system) / 1000 / count,
    shown: texts.map((text, i) => (shownOf(text) - shownOf(textsBefore[i] as string)) / taken),
    ageMs: texts.map((text) => Number(/(\d+) ms old/.exec(text)?.[1])),
  };
}

/** Frames per second that each reader gets, so that no page's drawing takes the processors. */
async function readers(
  frames: readonly DepthFrame[],
  count: number,
  { seconds, warmUp }: Pick<BenchOptions, 'seconds' | 'warmUp'>,
): Promise<number[]> {
  const { run, address } = await serve(frames);
  const got = Array.from({ length: count }, () => 0);
  const sockets = got.map((_, i) => {
    const socket = new WebSocket(`${address.replace('http', 'ws')}live`, protocol, {
      origin: address.slice(0, -1),
    });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'watch', watching: true })));
    socket.on('message', (data: Buffer, binary) => {
      if (!binary) return;
      got[i] = (got[i] as number) + 1;
      const { seq } = unpackLive(Uint8Array.from(data).buffer).header;
      socket.send(JSON.stringify({ type: 'shown', seq }));
    });
    return socket;
  });
  await sleep(warmUp * 1000);
  const [before, begun] = [[...got], performance.now()];
  await sleep(seconds * 1000);
  const taken = (performance.now() - begun) / 1000;
  const rates = got.map((n, i) => (n - (before[i] as number)) / taken);
  for (const socket of sockets) socket.terminate();
  run.stop();
  const { error } = await run.done;
  if (error) throw error;
  return rates;
}

/** A run that replays frames to the live view. */
async function serve(frames: readonly DepthFrame[]) {
  let address = '';
  const run = await startPipeline(
    definePipeline({
      source: replay(frames)({}),
      sinks: [
        {
          sink: webSink({ port: 0, demand: 'always' }),
          queue: { limit: 1, whenFull: 'drop-oldest' },
        },
      ],
    }),
    {
      log: {
        debug() {},
        warn() {},
        info(message) {
          address = /live view at (\S+)/.exec(message)?.[1] ?? address;
        },
      },
    },
  );
  return { run, address };
}

/** Frames that a page has shown, by what it says: those that passed less those that it skipped. */
function shownOf(text: string): number {
  const seq = Number(/frame (\d+)/.exec(text)?.[1]);
  return seq - Number(/(\d+) skipped/.exec(text)?.[1] ?? 0);
}

function replay(frames: readonly DepthFrame[]) {
  return defineSource({
    name: 'replay',
    summary: 'Recorded frames at a steady rate.',
    emits: ['depth'],
    live: true,
    options: z.strictObject({}),
    examples: [{}],
    create: async (_, { clock }) =>
      new Observable<DepthFrame>((subscriber) => {
        let seq = 0;
        const start = clock.now();
        // By the time since the start: an interval would lose a little with every frame.
        const next = (): (() => void) =>
          clock.after(start + (seq * 1000) / fps - clock.now(), () => {
            const pts = BigInt(Math.round((seq * 1e9) / fps));
            const frame = frames[seq % frames.length] as DepthFrame;
            subscriber.next({ ...frame, seq: seq++, pts, capturedAt: clock.wall() });
            cancel = next();
          });
        let cancel = next();
        return () => cancel();
      }),
  });
}
