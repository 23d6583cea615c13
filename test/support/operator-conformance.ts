import { concat, EMPTY, from, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { OperatorDefinition } from '../../src/core/component.ts';
import { type Frame, frameProblem } from '../../src/core/frame.ts';
import { type TestContext, testContext } from './context.ts';

interface Subjects {
  /** Options as in a pipeline file. */
  readonly options: unknown;
  /** The `seq`-th frame to feed it with. */
  frame(seq: number): Frame;
}

/** Runs frames through an operator, and gives what came out when it has completed. */
export async function runOperator<Schema extends z.ZodType>(
  definition: OperatorDefinition<Schema>,
  options: unknown,
  frames: readonly Frame[],
  context: TestContext = testContext({ queue: { limit: 64, whenFull: 'block' } }),
): Promise<Frame[]> {
  const operator = await definition.create(definition.options.parse(options), context);
  const out: Frame[] = [];
  await new Promise<void>((resolve, reject) => {
    from(frames)
      .pipe(operator)
      .subscribe({ next: (frame) => out.push(frame), error: reject, complete: resolve });
  });
  return out;
}

/** What every operator must do, whatever else it does. */
export function conformsAsOperator<Schema extends z.ZodType>(
  definition: OperatorDefinition<Schema>,
  { options, frame }: Subjects,
): void {
  const create = (context: TestContext) =>
    definition.create(definition.options.parse(options), context);
  const context = () => testContext({ queue: { limit: 64, whenFull: 'block' } });

  describe(`${definition.name} as an operator`, () => {
    test('has examples that validate', () => {
      expect(definition.examples.length).toBeGreaterThan(0);
      for (const example of definition.examples) definition.options.parse(example);
    });

    test('refuses unknown options', () => {
      const result = definition.options.safeParse({ ...(options as object), nonsense: 1 });
      expect(result.success).toBe(false);
    });

    test('never: neither emits nor ends', async () => {
      const seen = vi.fn();
      const operator = await create(context());
      const subscription = NEVER.pipe(operator).subscribe({
        next: seen,
        error: seen,
        complete: seen,
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(seen).not.toHaveBeenCalled();
      subscription.unsubscribe();
    });

    test('empty: completes', async () => {
      const complete = vi.fn();
      const operator = await create(context());
      EMPTY.pipe(operator).subscribe({ complete });
      await vi.waitFor(() => expect(complete).toHaveBeenCalledOnce());
    });

    test.each([1, 12])('%i frames: in order, each a frame, each accounted for', async (n) => {
      const told = context();
      const input = Array.from({ length: n }, (_, seq) => frame(seq));
      const out = await runOperator(definition, options, input, told);
      const dropped = [...told.drops.values()].reduce((sum, count) => sum + count, 0);
      expect(out.length + dropped + told.counts.failed).toBe(n);
      expect(out.length).toBeGreaterThan(0);
      const seqs = out.map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      for (const result of out) {
        expect(frameProblem(result)).toBeUndefined();
        const source = input[result.seq];
        expect(result).toMatchObject({ pts: source?.pts, capturedAt: source?.capturedAt });
      }
    });

    test('leaves the frames it was given as they were', async () => {
      const input = frame(0);
      const before = structuredClone(input);
      await runOperator(definition, options, [input, frame(1)]);
      expect(input).toEqual(before);
    });

    test('error: passes it on, once', async () => {
      const seen = vi.fn();
      const fault = new Error('the lens fell off');
      const operator = await create(context());
      concat(
        of(frame(0)),
        throwError(() => fault),
      )
        .pipe(operator)
        .subscribe({ error: seen });
      await vi.waitFor(() => expect(seen).toHaveBeenCalledOnce());
      expect(seen).toHaveBeenCalledWith(fault);
    });

    test('unsubscribe: lets go of its input', async () => {
      const input = new Subject<Frame>();
      const seen = vi.fn();
      const operator = await create(context());
      const subscription = input.pipe(operator).subscribe(seen);
      expect(input.observed).toBe(true);
      subscription.unsubscribe();
      expect(input.observed).toBe(false);
      input.next(frame(0));
      expect(seen).not.toHaveBeenCalled();
    });

    test('two subscriptions do not share what they remember', async () => {
      const input = Array.from({ length: 6 }, (_, seq) => frame(seq));
      const operator = await create(context());
      const collect = () =>
        new Promise<Frame[]>((resolve, reject) => {
          const out: Frame[] = [];
          from(input)
            .pipe(operator)
            .subscribe({ next: (f) => out.push(f), error: reject, complete: () => resolve(out) });
        });
      expect(await collect()).toEqual(await collect());
    });
  });
}
