import { merge, Observable } from 'rxjs';
import { map } from 'rxjs/operators';
import { expect } from 'vitest';
import { z } from 'zod';
import { SystemClock, sleep } from '../../src/core/clock.ts';
import { defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import type { Run, RunSummary } from '../../src/runtime/run-handle.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import type { FakeTime } from './fake-time.ts';
import { imageFrame } from './frames.ts';
import { collector } from './parts.ts';
import type { FrameOperator } from './rxjs-operators.ts';

const drainMs = 200;
/** What ending may take: a write in progress is given a moment after it is given up. */
const limits = { abort: 400, stop: drainMs + 400 };
/** How long operators that hold frames may go on after their input, and then some. */
const naturalMs = 30_000;

/** As many frames as the run takes. */
export const endless = Number.POSITIVE_INFINITY;

interface Counts {
  /** How often the source was subscribed to. */
  captures: number;
  /** Frames that it gave. */
  emitted: number;
}

function source(clock: SystemClock, frames: number, counts: Counts, fails: boolean) {
  return defineSource({
    name: 'source',
    summary: 'Frames, one each millisecond.',
    emits: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async (_, { gate }) =>
      new Observable<Frame>((subscriber) => {
        counts.captures++;
        const stop = new AbortController();
        const deliver = async () => {
          for (let seq = 0; seq < frames; seq++) {
            await sleep(clock, 1, stop.signal);
            await gate.opened(stop.signal);
            if (stop.signal.aborted) return;
            counts.emitted++;
            subscriber.next({ ...imageFrame(2, 2, seq), capturedAt: clock.wall() });
          }
          if (fails) throw new Error('the lens fell off');
          subscriber.complete();
        };
        deliver().catch((error: unknown) => subscriber.error(error));
        return () => stop.abort();
      }),
  })({});
}

export interface Scenario {
  readonly before?: FrameOperator;
  readonly after?: FrameOperator;
  readonly twice?: boolean;
  /** The operator emits for ever, whatever its input does. */
  readonly goesOn?: boolean;
  readonly frames?: number;
  readonly sourceFails?: boolean;
  /** It must end without being stopped. */
  readonly natural?: boolean;
  /** Ends the run from outside, after 40 ms. */
  readonly end?: 'stop' | 'abort';
}

/** An operator that fails on one frame. */
export const breaks: FrameOperator = (input) =>
  input.pipe(
    map((frame) => {
      if (frame.seq === 7) throw new Error('an operator above fails');
      return frame;
    }),
  );

async function settled(
  time: FakeTime,
  run: Run,
  withinMs: number,
): Promise<RunSummary | undefined> {
  let summary: RunSummary | undefined;
  void run.done.then((value) => {
    summary = value;
  });
  for (let ms = 0; ms <= withinMs && !summary; ms += 50) await time.advance(50);
  return summary;
}

/**
 * Runs a pipeline with an operator in the trunk or in its only branch, and checks that it ends and that
 * every frame is accounted for.
 */
export async function runScenario(
  time: FakeTime,
  where: 'trunk' | 'branch',
  operator: FrameOperator,
  scenario: Scenario,
) {
  const { before, after, twice, goesOn, natural, frames = 20, sourceFails = false, end } = scenario;
  const clock = new SystemClock();
  const counts = { captures: 0, emitted: 0 };
  const delivered: Frame[] = [];
  const tested: FrameOperator = twice
    ? (input) => merge(operator(input), operator(input))
    : operator;
  const operators = [before, tested, after].filter((one) => one !== undefined);
  const run = await startPipeline(
    definePipeline({
      source: source(clock, frames, counts, sourceFails),
      operators: where === 'trunk' ? operators : [],
      sinks: [
        {
          sink: collector(clock, { delivered })({}),
          operators: where === 'branch' ? operators : [],
        },
      ],
    }),
    { clock, drainMs },
  );
  if (end) {
    await time.advance(40);
    run[end]();
  }
  let summary = await settled(time, run, end === undefined ? naturalMs : limits[end]);
  const { heldBy } = run.stats();
  // What goes on by itself, or waits for an operator that may subscribe again some day, is stopped.
  if (
    !summary &&
    !natural &&
    end === undefined &&
    (goesOn || frames === endless || heldBy.length > 0)
  ) {
    run.stop();
    summary = await settled(time, run, limits.stop);
  }
  if (!summary) throw new Error('the run has not ended');
  const [branch] = summary.branches;
  expect(summary.violations).toEqual([]);
  expect(branch && imbalance(branch)).toBe(0);
  expect(branch?.inFlight).toBe(0);
  expect(branch?.delivered).toBe(delivered.length);
  expect(summary.captured).toBe(counts.emitted);
  expect(counts.captures).toBeLessThanOrEqual(1);
  return summary;
}
