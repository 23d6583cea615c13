import assert from 'node:assert/strict';
import { concat, EMPTY, from, NEVER, type OperatorFunction, of, Subject, throwError } from 'rxjs';
import type { z } from 'zod';
import type { OperatorDefinition } from '../core/component.ts';
import { type Frame, type FrameKind, frameProblem } from '../core/frame.ts';
import {
  adjustments,
  describesItself,
  optionsOf,
  pause,
  type Subject as Tested,
  type TestRunner,
  until,
  withInstances,
} from './conformance.ts';
import { sampleFrame } from './sample-frames.ts';
import { dropTotal, type TestContext, testContext } from './test-context.ts';

export interface OperatorSubject extends Tested {
  /** The `seq`-th frame of its input. Default: a sample of the first kind that it accepts. */
  frame?(seq: number): Frame;
}

/** Room for all frames of a test, so that none is dropped for lack of it. */
const roomy = { limit: 64, whenFull: 'block' } as const;

/**
 * Tests that hold for every operator: its definition describes itself, its output follows its
 * input through never, empty, one, many, error and unsubscribe, every frame is accounted for, its
 * input is left as it was, and instances share no state.
 *
 * ```ts
 * import { describe, test } from 'vitest'; // or node:test
 * conformsAsOperator(brighter, { options: { by: 2 } }, { describe, test });
 * ```
 */
export function conformsAsOperator<Schema extends z.ZodType>(
  definition: OperatorDefinition<Schema>,
  subject: OperatorSubject,
  runner: TestRunner,
): void {
  const operator = definition as unknown as OperatorDefinition;
  const kind = operator.accepts[0] as FrameKind;
  const frame = (seq: number) => subject.frame?.(seq) ?? sampleFrame(kind, seq);
  const frames = (n: number) => Array.from({ length: n }, (_, seq) => frame(seq));
  const { test } = runner;
  const given: Tested = { ...subject, context: () => ({ queue: roomy, ...subject.context?.() }) };
  type Body = Parameters<typeof withInstances<OperatorDefinition>>[2];
  const check = (name: string, body: Body) => test(name, withInstances(operator, given, body));

  runner.describe(`${definition.name} as an operator`, () => {
    describesItself(operator, subject, runner);

    check('never: neither emits nor ends', async (create) => {
      const { created } = await create();
      const events: string[] = [];
      const subscription = NEVER.pipe(created).subscribe(recorder(events));
      await pause();
      assert.deepEqual(events, []);
      subscription.unsubscribe();
    });

    check('empty: completes', async (create) => {
      const { created } = await create();
      const events: string[] = [];
      EMPTY.pipe(created).subscribe(recorder(events));
      await until(() => events.length > 0, 'it completes', subject);
      assert.deepEqual(events, ['complete']);
    });

    for (const n of [1, 12]) {
      check(`${n} frames: each is emitted in order, or accounted for`, async (create) => {
        const { created, context } = await create();
        const input = frames(n);
        const out = await collect(created, input, subject);
        const accounted = out.length + dropTotal(context) + context.counts.failed;
        assert.equal(accounted, n, 'count what you drop: context.dropped(n, reason)');
        assert.equal(context.counts.inFlight, 0);
        assert.ok(out.length > 0, 'no frame came out');
        assertInOrder(out);
        const { emits } = operator;
        const options = operator.options.parse(await optionsOf(operator, given));
        const kinds =
          typeof emits === 'function'
            ? emits(options)
            : emits === 'same'
              ? input.map((one) => one.kind)
              : emits;
        for (const result of out) {
          assert.equal(frameProblem(result), undefined);
          assert.ok(kinds.includes(result.kind), `${result.kind} is not in its emits`);
          const source = input[result.seq] as Frame;
          assert.equal(result.pts, source.pts, 'pts: start from derive(frame)');
          assert.equal(result.capturedAt, source.capturedAt, 'capturedAt: from derive(frame)');
        }
      });
    }

    if (definition.adjustable) {
      check('takes changed options between two frames, and accounts for all', async (create) => {
        const { created, context } = await create();
        const changes = await adjustments(operator, given);
        const input = new Subject<Frame>();
        const out: Frame[] = [];
        let completed = false;
        input.pipe(created).subscribe({
          next: (result) => out.push(result),
          complete: () => {
            completed = true;
          },
        });
        for (const [seq, one] of frames(12).entries()) {
          if (seq % 2 > 0) context.adjust(changes[seq % changes.length]);
          input.next(one);
        }
        input.complete();
        await until(() => completed, 'it completes after its input', subject);
        assert.equal(out.length + dropTotal(context) + context.counts.failed, 12);
        assertInOrder(out);
      });
    }

    check('leaves its input as it was', async (create) => {
      const { created } = await create();
      const input = frames(2);
      const before = structuredClone(input);
      await collect(created, input, subject);
      assert.deepEqual(input, before);
    });

    check('error: passes it on, once', async (create) => {
      const { created } = await create();
      const fault = new Error('the input failed');
      const errors: unknown[] = [];
      concat(
        of(frame(0)),
        throwError(() => fault),
      )
        .pipe(created)
        .subscribe({ error: (error) => errors.push(error) });
      await until(() => errors.length > 0, 'the error comes out', subject);
      await pause();
      assert.deepEqual(errors, [fault]);
    });

    check('unsubscribe: unsubscribes from its input, and emits nothing more', async (create) => {
      const { created } = await create();
      const input = new Subject<Frame>();
      const out: Frame[] = [];
      const subscription = input.pipe(created).subscribe((result) => out.push(result));
      assert.equal(input.observed, true, 'it has not subscribed to its input');
      subscription.unsubscribe();
      assert.equal(input.observed, false, 'it is still subscribed to its input');
      input.next(frame(0));
      await pause();
      assert.deepEqual(out, []);
    });

    if (definition.queued) {
      check('abort: completes, and accounts for what it holds', async (create) => {
        const { created, context } = await create();
        const input = new Subject<Frame>();
        const out: Frame[] = [];
        let completed = false;
        input.pipe(created).subscribe({
          next: (result) => out.push(result),
          complete: () => {
            completed = true;
          },
        });
        for (const one of frames(4)) input.next(one);
        context.abort();
        await until(() => completed, 'it completes when context.signal aborts', subject);
        await pause();
        assert.equal(out.length + dropTotal(context) + context.counts.failed, 4);
        assert.equal(context.counts.inFlight, 0);
      });
    }

    check('two subscriptions do not share what they remember', async (create) => {
      const { created } = await create();
      const input = frames(6);
      assert.deepEqual(
        untimed(await collect(created, input, subject)),
        untimed(await collect(created, input, subject)),
      );
    });

    check('two instances do not share what they remember', async (create) => {
      const [one, other] = [await create(), await create()];
      const input = frames(6);
      const [first, second] = await Promise.all([
        collect(one.created, input, subject),
        collect(other.created, input, subject),
      ]);
      assert.deepEqual(untimed(first), untimed(second));
      await one.context.close();
      assert.deepEqual(untimed(await collect(other.created, input, subject)), untimed(first));
    });
  });
}

/**
 * Runs frames through an operator.
 *
 * @returns what came out when it has completed
 */
export async function runOperator<Schema extends z.ZodType>(
  definition: OperatorDefinition<Schema>,
  options: unknown,
  frames: readonly Frame[],
  context: TestContext = testContext({ queue: roomy }),
): Promise<Frame[]> {
  const operator = await definition.create(definition.options.parse(options), context);
  return collect(operator, frames, {});
}

/** Runs frames through an operator until it completes. */
async function collect(
  operator: OperatorFunction<Frame, Frame>,
  frames: readonly Frame[],
  subject: Tested,
): Promise<Frame[]> {
  const out: Frame[] = [];
  const failed: unknown[] = [];
  let completed = false;
  from(frames)
    .pipe(operator)
    .subscribe({
      next: (frame) => out.push(frame),
      error: (error: unknown) => failed.push(error),
      complete: () => {
        completed = true;
      },
    });
  await until(() => completed || failed.length > 0, 'it completes after its input', subject);
  if (failed.length > 0) throw failed[0];
  return out;
}

function assertInOrder(frames: readonly Frame[]): void {
  const seqs = frames.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
    'frames leave in the order in which they came',
  );
}

/** Without the times that stages took, which differ from run to run. */
function untimed(frames: readonly Frame[]): Frame[] {
  return frames.map(({ timings: _, ...rest }) => rest as Frame);
}

function recorder(events: string[]) {
  return {
    next: () => events.push('next'),
    error: () => events.push('error'),
    complete: () => events.push('complete'),
  };
}
