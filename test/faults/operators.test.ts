import fc from 'fast-check';
import {
  delay,
  map,
  merge,
  mergeMap,
  mergeWith,
  NEVER,
  Observable,
  range,
  retry,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SystemClock, sleep } from '../../src/core/clock.ts';
import { defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import type { Run, RunSummary } from '../../src/runtime/run-handle.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { FakeTime } from '../support/fake-time.ts';
import { imageFrame } from '../support/frames.ts';
import { collector } from '../support/parts.ts';
import { type FrameOperator, missingOperators, rxjsOperators } from '../support/rxjs-operators.ts';

const drainMs = 200;
/** What ending may take: a write in progress is given a moment after it is given up. */
const limits = { abort: 400, stop: drainMs + 400 };
/** How long operators that hold frames may go on after their input, and then some. */
const naturalMs = 30_000;

let time: FakeTime;
beforeEach(() => {
  time = new FakeTime();
  time.install();
});
afterEach(() => time.uninstall());

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

interface Scenario {
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

const burst: FrameOperator = (input) =>
  input.pipe(mergeMap((frame) => range(0, frame.seq === 2 ? 10_000 : 1).pipe(map(() => frame))));

const breaks: FrameOperator = (input) =>
  input.pipe(
    map((frame) => {
      if (frame.seq === 7) throw new Error('an operator above fails');
      return frame;
    }),
  );

/** Goes on emitting after it was unsubscribed from, and after its input has ended. */
const rude: FrameOperator = (input) =>
  new Observable((subscriber) => {
    const all: ReturnType<typeof setInterval>[] = [];
    input.subscribe({
      next(frame) {
        subscriber.next(frame);
        if (all.length < 5) all.push(setInterval(() => subscriber.next(frame), 1));
      },
      error: () => {},
    });
  });

const endless = Number.POSITIVE_INFINITY;

const scenarios: Readonly<Record<string, Scenario>> = {
  'its input completes': {},
  'the source fails': { sourceFails: true },
  'an operator above fails': { before: breaks },
  'an operator below ends early': { after: take(3), frames: endless },
  'an operator below never completes': { after: mergeWith(NEVER) },
  'it is subscribed to twice': { twice: true },
  'frames come in a burst of 10,000': { before: burst, frames: 5 },
  'an operator below emits after it was unsubscribed from': {
    after: rude,
    frames: endless,
    end: 'stop',
  },
  'the run is stopped': { frames: endless, end: 'stop' },
  'the run is aborted': { frames: endless, end: 'abort' },
};

async function settled(run: Run, withinMs: number): Promise<RunSummary | undefined> {
  let summary: RunSummary | undefined;
  void run.done.then((value) => {
    summary = value;
  });
  for (let ms = 0; ms <= withinMs && !summary; ms += 50) await time.advance(50);
  return summary;
}

async function runScenario(where: 'trunk' | 'branch', operator: FrameOperator, scenario: Scenario) {
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
  let summary = await settled(run, end === undefined ? naturalMs : limits[end]);
  const { heldBy } = run.stats();
  // What goes on by itself, or waits for an operator that may subscribe again some day, is stopped.
  if (
    !summary &&
    !natural &&
    end === undefined &&
    (goesOn || frames === endless || heldBy.length > 0)
  ) {
    run.stop();
    summary = await settled(run, limits.stop);
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

describe('every operator of RxJS that takes one stream', () => {
  it('is among those tested here', () => {
    expect(missingOperators()).toEqual([]);
  });

  describe.each(['trunk', 'branch'] as const)('in the %s', (where) => {
    it.each(Object.keys(rxjsOperators))('%s', async (name) => {
      for (const [title, scenario] of Object.entries(scenarios)) {
        try {
          await runScenario(where, rxjsOperators[name] as FrameOperator, {
            ...scenario,
            goesOn: name === 'mergeWith',
          });
        } catch (error) {
          throw new Error(`${name} in the ${where}, when ${title}: ${error}`, { cause: error });
        }
      }
    });
  });
});

describe('chains of operators of RxJS', () => {
  const names = Object.keys(rxjsOperators);
  const chain = fc.record({
    where: fc.constantFrom('trunk' as const, 'branch' as const),
    operators: fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 3 }),
    joined: fc.boolean(),
    title: fc.constantFrom(...Object.keys(scenarios)),
  });

  /** More in the long form: FUZZ_RUNS=2000 npx vitest run test/faults/operators.test.ts */
  const numRuns = Number(process.env.FUZZ_RUNS ?? 60);

  it('account for every frame and end', { timeout: Math.max(60_000, 300 * numRuns) }, async () => {
    const property = fc.asyncProperty(chain, async ({ where, operators, joined, title }) => {
      const all = operators.map((name) => rxjsOperators[name] as FrameOperator);
      const one: FrameOperator = (input) => all.reduce((stream, next) => next(stream), input);
      const [first, second] = all as [FrameOperator, FrameOperator];
      // Several may end the run; none must keep it from being stopped.
      const scenario = { ...(scenarios[title] as Scenario), goesOn: true };
      if (joined) await runScenario(where, one, scenario);
      else await runScenario(where, first, { ...scenario, after: second });
    });
    await fc.assert(property, { numRuns });
  });
});

describe('an operator of the user', () => {
  const places = ['trunk', 'branch'] as const;

  it.each(places)('that completes early in the only branch ends the run: %s', async (where) => {
    const { branches, captured } = await runScenario(where, take(5), {
      frames: endless,
      natural: true,
    });
    expect(branches[0]?.delivered).toBe(5);
    expect(captured).toBeLessThan(10);
  });

  it.each(places)(
    'that never completes does not outlive the end of the input: %s',
    async (where) => {
      const { branches, error } = await runScenario(where, mergeWith(NEVER), { natural: true });
      expect(branches[0]?.delivered).toBe(20);
      expect(error).toBeUndefined();
    },
  );

  it.each(places)(
    'that subscribes twice gets each frame once per subscription: %s',
    async (where) => {
      const { branches } = await runScenario(where, (input) => merge(input, input), {});
      expect(branches[0]).toMatchObject({ captured: 20, added: 20, delivered: 40 });
    },
  );

  it.each(places)('that fails and is retried loses the frame alone: %s', async (where) => {
    const { branches } = await runScenario(where, breaks, { after: retry() });
    expect(branches[0]).toMatchObject({ delivered: 19, failed: 1 });
  });

  it.each(places)('may hold frames for a while after its input has ended: %s', async (where) => {
    const { branches } = await runScenario(where, delay(5000), {});
    expect(branches[0]?.delivered).toBe(20);
  });

  it.each(places)('may subscribe late: %s', async (where) => {
    const late: FrameOperator = (input) => timer(50).pipe(switchMap(() => input));
    const { branches } = await runScenario(where, late, {});
    expect(branches[0]?.delivered).toBe(20);
  });

  it.each(places)('that returns no Observable is named: %s', async (where) => {
    const { error } = await runScenario(where, (() => 5) as never, {});
    expect(error?.message).toMatch(/^returned no Observable/);
    expect(error?.at).toMatch(/operators\[0\] operator$|operators\[0\] tested$/);
  });

  it.each(places)('that throws at once is named: %s', async (where) => {
    const throws: FrameOperator = () => {
      throw new Error('not today');
    };
    const { error } = await runScenario(where, throws, {});
    expect(error).toMatchObject({ code: 'OPERATOR', message: 'not today' });
  });
});
