import { filter, map, mergeMap, Observable, of, scan, share, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import {
  defineOperator,
  defineSink,
  defineSource,
  mapAsync,
  type OperatorDefinition,
  type SinkDefinition,
  type SourceDefinition,
} from '../../src/index.ts';
import {
  conformsAsOperator,
  conformsAsSink,
  conformsAsSource,
  imageFrame,
  pointsFrame,
  type TestRunner,
} from '../../src/testing.ts';

// The suites are tests themselves, so each of their checks must be able to fail.

/** Names of the tests that fail. */
async function failures(suite: (runner: TestRunner) => void): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  suite({
    describe: (_, body) => body(),
    test: (name, body) => tests.push({ name, body }),
  });
  const failed: string[] = [];
  for (const { name, body } of tests) await body().catch(() => failed.push(name));
  return failed;
}

/** Short, since some of these components hang; those that do not get the time that a busy machine needs. */
const patienceMs = 300;
const soundPatienceMs = 30_000;
const options = z.strictObject({});
const self = { summary: 'A component of a test.', examples: [{}], options };

describe('the suite of operators', () => {
  const operator = (
    create: OperatorDefinition['create'],
    over: Partial<OperatorDefinition> = {},
  ): OperatorDefinition =>
    defineOperator({
      ...self,
      name: 'o',
      accepts: ['image'],
      emits: ['image'],
      create,
      ...over,
    } as OperatorDefinition) as unknown as OperatorDefinition;
  const failed = (definition: OperatorDefinition, ms = patienceMs) =>
    failures((runner) => conformsAsOperator(definition, { patienceMs: ms }, runner));
  const image = (change: (frame: ImageFrame) => Frame) =>
    operator(async () => map((frame) => change(frame as ImageFrame)));
  const shared = { count: 0 };

  test('passes a sound one, synchronous or not', async () => {
    const copying = image((frame) => ({ ...frame, data: frame.data.slice() }));
    expect(await failed(copying, soundPatienceMs)).toEqual([]);
    const queued = operator(
      async (_, context) => mapAsync(async (frame) => ({ ...frame }), { context }),
      { queued: true },
    );
    expect(await failed(queued, soundPatienceMs)).toEqual([]);
  });

  test.each<[string, string[], OperatorDefinition]>([
    [
      'that describes no option',
      ['describes each option'],
      operator(async () => map((frame) => frame), {
        options: z.strictObject({ a: z.number().default(1) }),
      }),
    ],
    [
      'that takes any option',
      ['refuses unknown options'],
      operator(async () => map((frame) => frame), { options: z.object({}) }),
    ],
    [
      'with an example that is wrong',
      ['has examples that its options accept'],
      operator(async () => map((frame) => frame), { examples: [{}, { a: 1 }] as never }),
    ],
    [
      'that drops without counting',
      ['12 frames: each is emitted in order, or accounted for'],
      operator(async () => filter(({ seq }) => seq % 2 === 0)),
    ],
    [
      'that emits twice',
      [
        '1 frames: each is emitted in order, or accounted for',
        '12 frames: each is emitted in order, or accounted for',
      ],
      operator(async () => mergeMap((frame) => of(frame, frame))),
    ],
    [
      'that changes its input',
      ['leaves its input as it was'],
      image((frame) => {
        frame.data.fill(0);
        return frame;
      }),
    ],
    [
      'that loses the times of the frame',
      [
        '1 frames: each is emitted in order, or accounted for',
        '12 frames: each is emitted in order, or accounted for',
      ],
      image((frame) => ({ ...frame, pts: 1n })),
    ],
    [
      'that emits a kind that it does not name',
      [
        '1 frames: each is emitted in order, or accounted for',
        '12 frames: each is emitted in order, or accounted for',
      ],
      image(({ seq }) => pointsFrame(seq)),
    ],
    [
      'whose subscriptions share what they remember',
      ['two subscriptions do not share what they remember'],
      operator(async () => {
        let sum = 0;
        return map((frame) => {
          sum += 1;
          const { length } = (frame as ImageFrame).data;
          return { ...frame, data: new Uint8Array(length).fill(sum) } as Frame;
        });
      }),
    ],
    [
      'whose instances share what they remember',
      [
        'two subscriptions do not share what they remember',
        'two instances do not share what they remember',
      ],
      image((frame) => {
        shared.count += 1;
        return { ...frame, data: new Uint8Array(frame.data.length).fill(shared.count) };
      }),
    ],
    [
      'that does not complete',
      ['empty: completes'],
      operator(
        async () => (input) =>
          new Observable((to) =>
            input.subscribe({ next: (f) => to.next(f), error: (e) => to.error(e) }),
          ),
      ),
    ],
    [
      'that stays subscribed to its input',
      ['unsubscribe: unsubscribes from its input, and emits nothing more'],
      operator(async () => share({ resetOnRefCountZero: false })),
    ],
  ])('fails one %s', async (_, expected, definition) => {
    expect(await failed(definition)).toEqual(expect.arrayContaining(expected));
  });

  test('fails one that emits at once what it is to emit in the end', async () => {
    const early = operator(
      async () => (input) =>
        input.pipe(
          scan((_, frame) => frame),
          tap({ complete: () => {} }),
        ),
    );
    expect(await failed(early, soundPatienceMs)).toEqual([]);
    const eager = operator(async () => () => of(imageFrame()));
    expect(await failed(eager)).toContain('never: neither emits nor ends');
  });
});

describe('the suite of sources', () => {
  interface Faults {
    readonly gate?: false;
    readonly abort?: false;
    readonly stop?: false;
    readonly reuse?: true;
    readonly loses?: true;
    readonly falls?: true;
    readonly leaks?: true;
    readonly kind?: 'depth';
  }
  const failed = (faults: Faults, frames?: number, ms = patienceMs) =>
    failures((runner) =>
      conformsAsSource(
        source(faults, frames),
        frames === undefined ? { patienceMs: ms } : { frames, patienceMs: ms },
        runner,
      ),
    );
  let running = 0;

  const source = (faults: Faults, frames = Number.POSITIVE_INFINITY): SourceDefinition =>
    defineSource({
      ...self,
      name: 's',
      emits: [faults.kind ?? 'image'],
      create: async (_, context) => {
        if (faults.leaks) {
          if (running++ > 0) throw new Error('the device is in use');
          context.defer(() => {
            running--;
          });
        }
        return new Observable<Frame>((subscriber) => {
          const stop = new AbortController();
          const signals = [...(faults.abort === false ? [] : [context.signal]), stop.signal];
          const signal = AbortSignal.any(signals);
          void emitAll(subscriber, faults, frames, context, signal);
          return () => (faults.stop === false ? undefined : stop.abort());
        });
      },
    }) as unknown as SourceDefinition;

  async function emitAll(
    to: { next(frame: Frame): void; complete(): void },
    { gate, stop, reuse, loses, falls }: Faults,
    frames: number,
    context: ComponentContext,
    signal: AbortSignal,
  ) {
    const one = imageFrame();
    // A source that cannot be stopped ends all the same, for the sake of this test.
    const most = stop === false ? 200 : frames;
    for (let seq = 0; seq < most && !signal.aborted; seq++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (gate !== false) await context.gate.opened(signal);
      if (signal.aborted) break;
      if (loses && seq % 2) continue;
      if (reuse) one.data.fill(seq);
      const frame = reuse ? { ...imageFrame(8, 6, seq), data: one.data } : imageFrame(8, 6, seq);
      to.next(falls ? { ...frame, pts: -BigInt(seq) } : frame);
    }
    to.complete();
  }

  test('passes a sound one, with and without an end', async () => {
    expect(await failed({}, 6, soundPatienceMs)).toEqual([]);
    expect(await failed({}, undefined, soundPatienceMs)).toEqual([]);
  });

  test.each<[string, Faults, string]>([
    ['that ignores the gate', { gate: false }, 'emits nothing while the gate is held'],
    ['that ignores the signal', { abort: false }, 'abort: completes without an error'],
    ['that ignores it at the gate', { abort: false }, 'abort while the gate is held: completes'],
    [
      'that writes to a frame again',
      { reuse: true },
      'does not write to a frame again once it has emitted it',
    ],
    ['that loses frames', { loses: true }, 'completes, with every frame accounted for'],
    ['whose times go back', { falls: true }, 'emits whole frames of its kinds, with rising seq'],
    [
      'that emits another kind',
      { kind: 'depth' },
      'emits whole frames of its kinds, with rising seq',
    ],
    ['of which there can be only one', { leaks: true }, 'two instances do not share state'],
  ])('fails one %s', async (_, faults, expected) => {
    expect(await failed(faults, 6)).toContain(expected);
  });
});

describe('the suite of sinks', () => {
  interface Faults {
    readonly hangs?: true;
    readonly loses?: true;
    readonly counts?: true;
    readonly writes?: true;
    readonly wanted?: Observable<boolean>;
    readonly shares?: true;
  }
  const arrived = new WeakMap<object, number>();
  const everything = {};

  const sink = ({ hangs, loses, counts, writes, wanted, shares }: Faults): SinkDefinition =>
    defineSink({
      ...self,
      name: 'k',
      accepts: ['image'],
      create: async (_, context) => {
        const key = shares ? everything : context;
        return {
          ...(wanted && { wanted }),
          async write(frame) {
            if (hangs && frame.seq === 1) await new Promise(() => {});
            if (frame.kind !== 'image') throw new Error('no image');
            if (counts) context.dropped(1, 'slow');
            if (writes) frame.data.fill(0);
            if (loses && frame.seq === 5) return;
            arrived.set(key, (arrived.get(key) ?? 0) + 1);
            arrived.set(context, arrived.get(key) as number);
          },
        };
      },
    }) as unknown as SinkDefinition;

  const failed = (faults: Faults, ms = patienceMs) =>
    failures((runner) =>
      conformsAsSink(
        sink(faults),
        {
          patienceMs: ms,
          delivered: (context) => arrived.get(context) ?? 0,
          refused: pointsFrame(),
        },
        runner,
      ),
    );

  test('passes a sound one', async () => {
    expect(await failed({}, soundPatienceMs)).toEqual([]);
    expect(await failed({ wanted: of(true) }, soundPatienceMs)).toEqual([]);
  });

  test.each<[string, Faults, string]>([
    ['whose write hangs', { hangs: true }, 'abort: a write settles all the same, and it closes'],
    [
      'that loses a frame',
      { loses: true },
      '12 frames: each write settles, and what was written arrives',
    ],
    [
      'that counts a frame twice',
      { counts: true },
      '1 frames: each write settles, and what was written arrives',
    ],
    ['that changes frames', { writes: true }, 'leaves frames as they were'],
    [
      'whose demand is late',
      { wanted: new Observable() },
      'wanted, if there is one, emits at once',
    ],
    ['whose instances share state', { shares: true }, 'two instances do not share state'],
  ])('fails one %s', async (_, faults, expected) => {
    expect(await failed(faults)).toContain(expected);
  });
});
