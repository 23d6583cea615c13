import assert from 'node:assert/strict';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import type { SourceDefinition } from '../core/component.ts';
import { type Frame, frameProblem } from '../core/frame.ts';
import { Gate } from '../core/gate.ts';
import {
  describesItself,
  optionsOf,
  pause,
  type Subject,
  type TestRunner,
  until,
  withInstances,
} from './conformance.ts';
import { dropTotal } from './test-context.ts';

export interface SourceSubject extends Subject {
  /**
   * Frames until it completes with these options. Leave it out for a source that does not end by
   * itself; the suite then takes a few frames.
   */
  readonly frames?: number;
  /** Options with which it must fail, in `create` or when it is subscribed to. */
  readonly failing?: unknown;
}

/** Frames taken of a source that does not end. */
const few = 4;
/** Turns of the event loop for which the gate stays closed. */
const heldFor = 4;

/**
 * Tests that hold for every source: its definition describes itself, frames are whole, rise and
 * keep their memory, every frame is accounted for, the gate holds it, and it ends when it is
 * unsubscribed from, aborted or closed.
 *
 * ```ts
 * import { describe, test } from 'vitest'; // or node:test
 * conformsAsSource(counter, { options: { frames: 5 }, frames: 5 }, { describe, test });
 * ```
 */
export function conformsAsSource<Schema extends z.ZodType>(
  definition: SourceDefinition<Schema>,
  subject: SourceSubject,
  runner: TestRunner,
): void {
  const source = definition as unknown as SourceDefinition;
  const finite = subject.frames !== undefined;
  type Body = Parameters<typeof withInstances<SourceDefinition>>[2];
  const check = (name: string, body: Body) =>
    runner.test(name, withInstances(source, subject, body));

  runner.describe(`${definition.name} as a source`, () => {
    describesItself(source, subject, runner);

    check('emits whole frames of its kinds, with rising seq', async (create) => {
      const { created, context } = await create();
      const watch = new Watch(created, subject);
      await watch.atLeast(subject.frames ?? few);
      const { emits } = source;
      const options = source.options.parse(await optionsOf(source, subject));
      const kinds = typeof emits === 'function' ? emits(options) : emits;
      for (const [i, frame] of watch.frames.entries()) {
        assert.equal(frameProblem(frame), undefined);
        assert.ok(kinds.includes(frame.kind), `${frame.kind} is not in its emits`);
        const before = watch.frames[i - 1];
        if (!before) continue;
        assert.ok(frame.seq > before.seq, `seq ${frame.seq} after ${before.seq}`);
        assert.ok(frame.pts >= before.pts, `pts ${frame.pts} after ${before.pts}`);
      }
      watch.stop();
      await context.close();
    });

    if (finite) {
      check('completes, with every frame accounted for', async (create) => {
        const { created, context } = await create();
        const watch = new Watch(created, subject);
        await until(() => watch.ended, 'it completes', subject);
        assert.equal(watch.error, undefined);
        const accounted = watch.frames.length + dropTotal(context) + context.counts.failed;
        assert.equal(accounted, subject.frames, 'count what you drop: context.dropped(n, reason)');
      });
    }

    check('does not write to a frame again once it has emitted it', async (create) => {
      const { created } = await create();
      const copies: Frame[] = [];
      const watch = new Watch(created, subject, (frame) => copies.push(structuredClone(frame)));
      await watch.atLeast(subject.frames ?? few);
      watch.stop();
      assert.deepEqual(watch.frames, copies);
    });

    check('emits nothing while the gate is held', async (create) => {
      const gate = new Gate();
      const { created } = await create({ gate });
      let early = 0;
      gate.hold('test');
      const watch = new Watch(created, subject, () => {
        if (!gate.open) early++;
        gate.hold('test');
      });
      const rounds = Math.min(subject.frames ?? few, few);
      for (let round = 0; round < rounds && !watch.ended; round++) {
        for (let turn = 0; turn < heldFor; turn++) await pause();
        gate.release('test');
        await until(
          () => watch.frames.length > round || watch.ended,
          'it goes on when released',
          subject,
        );
      }
      watch.stop();
      assert.equal(early, 0, 'frames came while the gate was held: await gate.opened(signal)');
    });

    check('unsubscribe: emits nothing more, and closes', async (create) => {
      const { created, context } = await create();
      const watch = new Watch(created, subject);
      await watch.atLeast(1);
      watch.stop();
      const seen = watch.frames.length;
      await context.close();
      await pause();
      assert.equal(watch.frames.length, seen);
    });

    check('abort: completes without an error', async (create) => {
      const gate = new Gate();
      const { created, context } = await create({ gate });
      // At the gate a source that has few frames cannot come to its own end.
      const watch = new Watch(created, subject, () => finite && gate.hold('test'));
      await watch.atLeast(1);
      context.abort();
      await until(() => watch.ended, 'it completes when context.signal aborts', subject);
      assert.equal(watch.error, undefined);
      await context.close();
    });

    check('abort while the gate is held: completes', async (create) => {
      const gate = new Gate();
      gate.hold('test');
      const { created, context } = await create({ gate });
      const watch = new Watch(created, subject);
      await pause();
      context.abort();
      await until(() => watch.ended, 'it completes when context.signal aborts', subject);
      assert.deepEqual([watch.frames, watch.error], [[], undefined]);
    });

    check('closes without having been subscribed to', async (create) => {
      const { context } = await create();
      await context.close();
    });

    check('two instances do not share state', async (create) => {
      const [one, other] = [await create(), await create()];
      const watches = [new Watch(one.created, subject), new Watch(other.created, subject)] as const;
      await watches[0].atLeast(1);
      watches[0].stop();
      await one.context.close();
      await watches[1].atLeast(subject.frames ?? few);
      watches[1].stop();
      assert.equal(watches[1].error, undefined);
    });

    if (subject.failing !== undefined) {
      check('fails once, with an error that says why, and closes', async (create) => {
        const failure = await failureOf(() => create({}, subject.failing), subject);
        assert.ok(failure instanceof Error, 'it did not fail');
        assert.notEqual(failure.message, '');
      });
    }
  });
}

async function failureOf(
  create: () => Promise<{ created: Observable<Frame> }>,
  subject: Subject,
): Promise<unknown> {
  let created: Observable<Frame>;
  try {
    ({ created } = await create());
  } catch (error) {
    return error;
  }
  const watch = new Watch(created, subject);
  await until(() => watch.ended, 'it ends', subject);
  return watch.error;
}

/** Subscribes, and keeps what comes. */
class Watch {
  readonly frames: Frame[] = [];
  error: unknown;
  ended = false;
  readonly #subject: Subject;
  readonly #subscription;

  constructor(
    source: Observable<Frame>,
    subject: Subject,
    onFrame: (frame: Frame) => unknown = () => {},
  ) {
    this.#subject = subject;
    this.#subscription = source.subscribe({
      next: (frame) => {
        this.frames.push(frame);
        onFrame(frame);
      },
      error: (error: unknown) => {
        this.error = error;
        this.ended = true;
      },
      complete: () => {
        this.ended = true;
      },
    });
  }

  /** Waits for `n` frames, or for the end of a source that has dropped some. */
  async atLeast(n: number): Promise<void> {
    await until(() => this.frames.length >= n || this.ended, `${n} frames`, this.#subject);
    assert.equal(this.error, undefined);
    assert.ok(this.frames.length > 0, 'it ended without a frame');
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }
}
