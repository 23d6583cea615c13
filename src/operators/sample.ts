import { filter } from 'rxjs';
import { z } from 'zod';
import { adjusted, remade } from '../core/adjusted.ts';
import { defineOperator } from '../core/component.ts';
import { type Frame, frameKinds } from '../core/frame.ts';

const options = z
  .strictObject({
    every: z.int().min(1).max(1_000_000).optional().describe('keep the first of every n frames'),
    fps: z.number().gt(0).max(1000).optional().describe('keep about this many frames per second'),
  })
  .refine(({ every, fps }) => (every === undefined) !== (fps === undefined), {
    error: 'needs either every or fps, not both',
  });

type Options = z.output<typeof options>;

/**
 * Keeps fewer frames. `fps` refers to presentation times, so the result does not depend on the
 * speed of the run: of the frames around each tick of the wanted rate it keeps the nearest. The
 * rest are counted as dropped, `sampled out`.
 */
export const sample = defineOperator({
  name: 'sample',
  summary: 'Keeps every n-th frame, or a number of frames per second.',
  accepts: frameKinds,
  emits: 'same',
  keepsSize: true,
  picks: true,
  usesPicture: () => false,
  options,
  examples: [{ every: 3 }, { fps: 15 }],
  adjustable: ['every', 'fps'],
  async create(options, context) {
    const current = adjusted(options, context);
    return (input) => {
      const keeps = remade<Options, (frame: Frame) => boolean>(current, ({ every, fps }) =>
        every === undefined ? atRate(fps as number) : everyNth(every),
      );
      return input.pipe(
        filter((frame) => {
          const kept = keeps()(frame);
          if (!kept) context.dropped(1, 'sampled out');
          return kept;
        }),
      );
    };
  },
});

function everyNth(n: number): (frame: Frame) => boolean {
  let count = 0;
  return () => {
    const first = count === 0;
    count = (count + 1) % n;
    return first;
  };
}

function atRate(fps: number): (frame: Frame) => boolean {
  const period = 1e9 / fps;
  let start: bigint | undefined;
  let before = 0;
  let due = 0;
  return ({ pts }) => {
    start ??= pts;
    // Times of somebody else's source or operator may begin again: the ticks go on from here.
    if (Number(pts - start) < before) start = pts - BigInt(Math.round(before));
    const now = Number(pts - start);
    // A frame is the nearest to the tick if the one after it would be farther away.
    const near = (now - before) / 2;
    before = now;
    if (now + near < due) return false;
    due += period;
    // After a gap the ticks start again from here, without a burst to catch up.
    if (due <= now) due = now + period;
    return true;
  };
}
