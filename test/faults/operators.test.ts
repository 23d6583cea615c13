import { map, mergeMap, mergeWith, NEVER, Observable, range, take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTime } from '../support/fake-time.ts';
import { breaks, endless, runScenario, type Scenario } from '../support/operator-scenario.ts';
import { fc } from '../support/property.ts';
import { type FrameOperator, missingOperators, rxjsOperators } from '../support/rxjs-operators.ts';

let time: FakeTime;
beforeEach(() => {
  time = new FakeTime();
  time.install();
});
afterEach(() => time.uninstall());

const burst: FrameOperator = (input) =>
  input.pipe(mergeMap((frame) => range(0, frame.seq === 2 ? 10_000 : 1).pipe(map(() => frame))));

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

describe('every operator of RxJS that takes one stream', () => {
  it('is among those tested here', () => {
    expect(missingOperators()).toEqual([]);
  });

  describe.each(['trunk', 'branch'] as const)('in the %s', (where) => {
    it.each(Object.keys(rxjsOperators))('%s', async (name) => {
      for (const [title, scenario] of Object.entries(scenarios)) {
        try {
          await runScenario(time, where, rxjsOperators[name] as FrameOperator, {
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

  it('account for every frame and end', { timeout: Math.max(120_000, 300 * numRuns) }, async () => {
    const property = fc.asyncProperty(chain, async ({ where, operators, joined, title }) => {
      const all = operators.map((name) => rxjsOperators[name] as FrameOperator);
      const one: FrameOperator = (input) => all.reduce((stream, next) => next(stream), input);
      const [first, second] = all as [FrameOperator, FrameOperator];
      // Several may end the run; none must keep it from being stopped.
      const scenario = { ...(scenarios[title] as Scenario), goesOn: true };
      if (joined) await runScenario(time, where, one, scenario);
      else await runScenario(time, where, first, { ...scenario, after: second });
    });
    await fc.assert(property, { numRuns });
  });
});
