import { join } from 'node:path';
import {
  bin,
  printed,
  projectFolder,
  type Running,
  type RunSettings,
  startProcess,
} from './cli.ts';

/** Components whose frames are dropped, fail and restart by plan. */
const parts = `
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineSink, defineSource } from 'depthline';
import { Observable } from 'rxjs';
import { z } from 'zod';

/** Waits until a test has made this file. */
const made = async (name, { baseDirectory, signal }) => {
  while (!signal.aborted && !existsSync(join(baseDirectory, name))) await sleep(10);
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Gives its frames, then none, and does not end; \`dries-with\`: without end until that file is there.
export const runsDry = defineSource({
  name: 'runs-dry',
  summary: 'A camera that stops.',
  emits: ['image'],
  live: true,
  options: z.strictObject({
    frames: z.int().default(Infinity),
    'every-ms': z.number().default(20),
    'dries-with': z.string().optional(),
  }),
  examples: [{ frames: 3 }],
  create: async ({ frames, 'every-ms': everyMs, 'dries-with': end }, context) =>
    new Observable((subscriber) => {
      let dry = false;
      if (end !== undefined) void made(end, context).then(() => { dry = true; });
      const deliver = async () => {
        for (let seq = 0; seq < frames && !dry && !context.signal.aborted; seq++) {
          await sleep(everyMs);
          await context.gate.opened(context.signal);
          if (seq === 10) context.dropped(3, 'at capture');
          if (seq === 11) context.restarted('unplugged');
          subscriber.next({
            kind: 'image', seq, pts: BigInt(seq) * 20_000_000n, capturedAt: context.clock.wall(),
            source: context.name, width: 224, height: 224, channels: 3,
            data: new Uint8Array(224 * 224 * 3).fill(seq),
          });
        }
      };
      void deliver();
      context.signal.addEventListener('abort', () => subscriber.complete(), { once: true });
    }),
});

export const takesTime = defineSink({
  name: 'takes-time',
  summary: 'A slow sink.',
  accepts: ['image', 'depth'],
  options: z.strictObject({ ms: z.number(), 'opens-with': z.string().optional() }),
  examples: [{ ms: 50 }],
  create: async ({ ms, 'opens-with': file }, context) => {
    if (file !== undefined) await made(file, context);
    return { write: () => sleep(ms) };
  },
});

export const failsAtTimes = defineSink({
  name: 'fails-at-times',
  summary: 'A sink that does not take every frame.',
  accepts: ['image', 'depth'],
  options: z.strictObject({}),
  examples: [{}],
  create: async () => ({
    write: ({ seq }) => {
      if (seq % 7 === 0) throw new Error('no room');
    },
  }),
});
`;

/** A pipeline in which frames take every way. */
export const everyWay = (frames: number) => `
use: ./parts.mjs
source:
  runs-dry: { frames: ${frames} }
operators:
  - estimate-depth: { tuned: "off" }
sinks:
  - discard
  - takes-time: { ms: 60 }
    queue: { limit: 1, when-full: drop-oldest }
  - fails-at-times: {}
    on-error: skip
  - discard: {}
    name: sampled
    operators:
      - sample: { every: 4 }
`;

export interface Served extends Running {
  readonly address: string;
  readonly cwd: string;
}

/** Runs `file` with `--serve` on a free port, and waits until it answers. */
export async function serveRun(
  file: string,
  { args = [], ...settings }: RunSettings & { readonly args?: readonly string[] } = {},
): Promise<Served> {
  const cwd = projectFolder({ 'parts.mjs': parts, 'p.yaml': file });
  const all = ['run', join(cwd, 'p.yaml'), '--serve', '127.0.0.1:0', ...args];
  const running = startProcess(bin, all, { cwd, ...settings });
  const pattern = /metrics and health at (http:\S+)/;
  const [, address] = await printed(running, pattern);
  return Object.assign(running, { address: address as string, cwd });
}
