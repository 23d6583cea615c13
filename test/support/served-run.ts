import { join } from 'node:path';
import { bin, projectFolder, type Running, type RunSettings, startProcess } from './cli.ts';
import { until } from './gstreamer.ts';

/** Components whose frames are dropped, fail and restart by plan. */
const parts = `
import { defineSink, defineSource } from 'depthline';
import { Observable } from 'rxjs';
import { z } from 'zod';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Gives its frames, then none, and does not end.
export const runsDry = defineSource({
  name: 'runs-dry',
  summary: 'A camera that stops.',
  emits: ['image'],
  live: true,
  options: z.strictObject({ frames: z.int(), 'every-ms': z.number().default(20) }),
  examples: [{ frames: 3 }],
  create: async ({ frames, 'every-ms': everyMs }, context) =>
    new Observable((subscriber) => {
      const deliver = async () => {
        for (let seq = 0; seq < frames && !context.signal.aborted; seq++) {
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
  options: z.strictObject({ ms: z.number(), 'to-open-ms': z.number().default(0) }),
  examples: [{ ms: 50 }],
  create: async ({ ms, 'to-open-ms': toOpenMs }) => {
    await sleep(toOpenMs);
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
  await until(() => pattern.test(running.stderr) || running.child.exitCode !== null);
  const address = pattern.exec(running.stderr)?.[1];
  if (address === undefined) throw new Error(`not served: ${running.stderr}`);
  return Object.assign(running, { address });
}
