import { Observable } from 'rxjs';
import { z } from 'zod';
import { type Clock, sleep } from '../../src/core/clock.ts';
import { defineOperator, defineSink, defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { mapAsync } from '../../src/runtime/map-async.ts';
import { imageFrame } from './frames.ts';

/**
 * A source of `frames` frames, one every `periodMs`. A live one has a camera's habit: what is not
 * asked for in time is lost, and counted `at capture`. The other one waits.
 */
export const ticker = defineSource({
  name: 'ticker',
  summary: 'Frames at a steady rate, for tests.',
  emits: ['image'],
  live: ({ live }) => live,
  examples: [{ frames: 3 }],
  options: z.strictObject({
    frames: z.int().default(10),
    periodMs: z.number().default(10),
    live: z.boolean().default(false),
    failAt: z.int().optional(),
  }),
  create: async ({ frames, periodMs, live, failAt }, context) =>
    new Observable<Frame>((subscriber) => {
      const stop = new AbortController();
      const { clock, gate } = context;
      const deliver = async () => {
        const start = clock.now();
        for (let seq = 0; seq < frames && !stop.signal.aborted; seq++) {
          await sleep(clock, start + seq * periodMs - clock.now(), stop.signal);
          if (live && !gate.open) {
            context.dropped(1, 'at capture');
            continue;
          }
          await gate.opened(stop.signal);
          if (stop.signal.aborted) return;
          if (seq === failAt) throw new Error('the camera failed');
          subscriber.next({ ...imageFrame(2, 2, seq), capturedAt: clock.wall() });
        }
        subscriber.complete();
      };
      deliver().catch((error: unknown) => subscriber.error(error));
      return () => stop.abort();
    }),
});

/** Passes frames on after `ms`; fails on the frames in `failOn`. */
export const slow = defineOperator({
  name: 'slow',
  summary: 'Takes its time, for tests.',
  accepts: ['image', 'depth', 'points', 'data'],
  emits: 'same',
  queued: true,
  examples: [{ ms: 5 }],
  options: z.strictObject({
    ms: z.number().default(10),
    concurrency: z.int().default(1),
    ordered: z.boolean().default(true),
    failOn: z.array(z.int()).default([]),
  }),
  create: async ({ ms, concurrency, ordered, failOn }, context) =>
    mapAsync(
      async (frame) => {
        await sleep(context.clock, ms);
        if (failOn.includes(frame.seq)) throw new Error(`cannot do frame ${frame.seq}`);
        return frame;
      },
      { concurrency, ordered, onError: 'skip', context },
    ),
});

/** A sink that takes `ms` per frame and keeps the seq of what it got. */
export function collector(
  clock: Clock,
  { ms = 0, failOn = [] as readonly number[], delivered = [] as Frame[] } = {},
) {
  return defineSink({
    name: 'collector',
    summary: 'Keeps frames, for tests.',
    accepts: ['image', 'depth', 'points', 'data'],
    examples: [{}],
    options: z.strictObject({}),
    create: async () => ({
      async write(frame) {
        if (ms > 0) await sleep(clock, ms);
        if (failOn.includes(frame.seq)) throw new Error(`frame ${frame.seq} does not fit`);
        delivered.push(frame);
      },
    }),
  });
}
