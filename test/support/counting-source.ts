import { setTimeout as sleep } from 'node:timers/promises';
import { Observable } from 'rxjs';
import { z } from 'zod';
import type { Frame } from '../../src/core/frame.ts';
import { defineSource } from '../../src/index.ts';
import { depthFrame, imageFrame } from './frames.ts';

/** Gives small frames that tell their number: `every` milliseconds one, waiting for the gate. */
export const countingSource = defineSource({
  name: 'counting',
  summary: 'Counts.',
  emits: ({ kind }) => [kind],
  options: z.strictObject({
    frames: z.int(),
    everyMs: z.number().default(0),
    kind: z.enum(['depth', 'image']).default('depth'),
    width: z.int().default(16),
    height: z.int().default(12),
  }),
  examples: [{ frames: 3 }],
  create: async ({ frames, everyMs, kind, width, height }, { gate, signal, clock }) =>
    new Observable<Frame>((subscriber) => {
      let over = false;
      const run = async () => {
        for (let seq = 0; seq < frames && !over; seq++) {
          await sleep(everyMs);
          await gate.opened(signal);
          if (signal.aborted || over) break;
          const times = { pts: BigInt(seq) * 1_000_000n, capturedAt: clock.wall() };
          const frame =
            kind === 'image'
              ? imageFrame(width, height, seq)
              : depthFrame(width, height, seq, () => 1 + seq / 1000);
          subscriber.next({ ...frame, ...times });
        }
        subscriber.complete();
      };
      void run();
      return () => {
        over = true;
      };
    }),
});
