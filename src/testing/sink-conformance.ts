import assert from 'node:assert/strict';
import type { z } from 'zod';
import type { Sink, SinkDefinition } from '../core/component.ts';
import type { Frame, FrameKind } from '../core/frame.ts';
import {
  adjustments,
  describesItself,
  type Instance,
  pause,
  type Subject,
  type TestRunner,
  until,
  withInstances,
} from './conformance.ts';
import { sampleFrame } from './sample-frames.ts';
import { dropTotal, type TestContext } from './test-context.ts';

export interface SinkSubject extends Subject {
  /** The `seq`-th frame to write. Default: a sample of the first kind that it accepts. */
  frame?(seq: number): Frame;
  /** Frames that really arrived where this instance writes to, asked after it has been closed. */
  delivered?(context: TestContext): number | Promise<number>;
  /** A frame that it must reject. */
  readonly refused?: Frame;
}

/**
 * Tests that hold for every sink: its definition describes itself, every write settles, what is
 * written arrives, frames are left as they were, it closes at any time, and instances share no
 * state.
 *
 * ```ts
 * import { describe, test } from 'vitest'; // or node:test
 * conformsAsSink(logger, { options: { path: 'frames.log' } }, { describe, test });
 * ```
 */
export function conformsAsSink<Schema extends z.ZodType>(
  definition: SinkDefinition<Schema>,
  subject: SinkSubject,
  runner: TestRunner,
): void {
  const sink = definition as unknown as SinkDefinition;
  const kind = sink.accepts[0] as FrameKind;
  const frame = (seq: number) => subject.frame?.(seq) ?? sampleFrame(kind, seq);
  const frames = (n: number) => Array.from({ length: n }, (_, seq) => frame(seq));
  type Body = Parameters<typeof withInstances<SinkDefinition>>[2];
  const check = (name: string, body: Body) => runner.test(name, withInstances(sink, subject, body));

  /** Writes a frame; rejects as the sink does, or with `Hanging` if it does neither. */
  const write = async (to: Sink, one: Frame): Promise<void> => {
    let settled = false;
    const writing = (async () => to.write(one))().finally(() => {
      settled = true;
    });
    writing.catch(() => {});
    await until(() => settled, `the write of frame ${one.seq} settles`, subject).catch(
      ({ message }: Error) => Promise.reject(new Hanging(message)),
    );
    return writing;
  };

  runner.describe(`${definition.name} as a sink`, () => {
    describesItself(sink, subject, runner);

    check('opens, and closes without a frame', async (create) => {
      const { context } = opened(await create());
      await context.close();
    });

    if (definition.adjustable) {
      check('takes changed options between two frames', async (create) => {
        const { created, context } = opened(await create());
        const changes = await adjustments(sink, subject);
        for (const [seq, one] of frames(4).entries()) {
          if (seq > 0) context.adjust(changes[seq % changes.length]);
          await write(created, one);
        }
      });
    }

    for (const n of [1, 12]) {
      check(`${n} frames: each write settles, and what was written arrives`, async (create) => {
        const { created, context } = opened(await create());
        for (const one of frames(n)) await write(created, one);
        await context.close();
        await arrived(subject, context, n);
        assert.equal(dropTotal(context) + context.counts.failed, 0, notTwice);
      });
    }

    check('leaves frames as they were', async (create) => {
      const { created, context } = opened(await create());
      const given = frames(2);
      const before = structuredClone(given);
      for (const one of given) await write(created, one);
      await context.close();
      assert.deepEqual(given, before);
    });

    check('abort: a write settles all the same, and it closes', async (create) => {
      const { created, context } = opened(await create());
      await write(created, frame(0));
      const writing = write(created, frame(1));
      context.abort();
      // Whether this frame still arrives is the sink's choice; to hang is not.
      const error = await writing.then(undefined, (error: unknown) => error);
      if (error instanceof Hanging) throw error;
      await context.close();
    });

    check('wanted, if there is one, emits at once', async (create) => {
      const { created } = opened(await create());
      if (!created.wanted) return;
      const seen: boolean[] = [];
      created.wanted.subscribe((wanted) => seen.push(wanted)).unsubscribe();
      assert.equal(seen.length, 1);
    });

    check('two instances do not share state', async (create) => {
      const [one, other] = [opened(await create()), opened(await create())];
      for (const each of frames(3)) {
        await write(one.created, each);
        await write(other.created, each);
      }
      await one.context.close();
      await write(other.created, frame(3));
      await other.context.close();
      await arrived(subject, one.context, 3);
      await arrived(subject, other.context, 4);
    });

    const { refused } = subject;
    if (refused) {
      check('a frame that it cannot take is rejected, and the next one arrives', async (create) => {
        const { created, context } = opened(await create());
        const error = await write(created, refused).then(undefined, (error: unknown) => error);
        assert.ok(error instanceof Error && !(error instanceof Hanging), 'it was not rejected');
        await write(created, frame(0));
        await context.close();
        await arrived(subject, context, 1);
        assert.equal(dropTotal(context) + context.counts.failed, 0, notTwice);
      });
    }
  });
}

/** A write that neither resolves nor rejects. */
class Hanging extends Error {}

const notTwice =
  'a write that settles is counted by the runtime; counting it again breaks the ledger';

function opened(instance: Instance<Sink | undefined>): Instance<Sink> {
  assert.ok(instance.created, 'create gave no sink; it is not available here');
  return instance as Instance<Sink>;
}

async function arrived(
  { delivered, patienceMs = 30_000 }: SinkSubject,
  context: TestContext,
  n: number,
) {
  if (!delivered) return;
  // The other end of a socket takes a moment.
  const deadline = performance.now() + patienceMs;
  while ((await delivered(context)) < n && performance.now() < deadline) await pause();
  assert.equal(await delivered(context), n, 'frames that arrived');
}
