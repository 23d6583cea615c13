import { filter, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../src/core/clock.ts';
import { defineSink, defineSource } from '../../src/core/component.ts';
import type { Frame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { definePipeline, type OperatorInput } from '../../src/pipeline/pipeline.ts';
import { StageLedger } from '../../src/runtime/ledger.ts';
import { mapAsync } from '../../src/runtime/map-async.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { SourcePace } from '../../src/runtime/source-pace.ts';
import { StageWatch, watchedStages } from '../../src/runtime/stage-watch.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

const never = new Promise<never>(() => {});

/** A pipeline of 100 fps with a stage that the test stops: source, shape, double, plain or writer. */
async function stopped(
  name: string,
  { queue, operators }: { queue?: Partial<QueueOptions>; operators?: OperatorInput[] } = {},
) {
  const clock = new VirtualClock();
  let halted = '';
  const work = (own: string) => async (frame: Frame) => {
    await sleep(clock, 4);
    return halted === own ? never : frame;
  };
  const source = defineSource({
    name: 'source',
    summary: 'Frames until it is stopped.',
    emits: ['image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async (_, { gate, signal }) =>
      new Observable<Frame>((subscriber) => {
        const deliver = async () => {
          for (let seq = 0; !signal.aborted; seq++) {
            await sleep(clock, 10, signal);
            await gate.opened(signal);
            if (halted === 'source') return;
            subscriber.next({ ...imageFrame(2, 2, seq), capturedAt: clock.wall() });
          }
        };
        void deliver();
      }),
  });
  const sink = (own: string) =>
    defineSink({
      name: own,
      summary: 'Takes frames until it is stopped.',
      accepts: ['image'],
      options: z.strictObject({}),
      examples: [{}],
      create: async () => ({
        async write(frame) {
          await work(own)(frame);
        },
      }),
    })({});
  const pipeline = definePipeline({
    source: source({}),
    operators: operators ?? [mapAsync(work('shape'))],
    sinks: [
      { sink: sink('writer'), operators: [mapAsync(work('double'))], ...(queue && { queue }) },
      { sink: sink('plain') },
    ],
  });
  const run = await startPipeline(pipeline, { clock, drainMs: 10 });
  await clock.advance(1000);
  const healthy = run.stats().stages;
  halted = name;
  for (let second = 0; second < 4; second++) {
    await clock.advance(1000);
    run.stats();
  }
  const states = run
    .stats()
    .stages.map(({ stage, state, on }) =>
      [stage, state, ...(on === undefined ? [] : [on])].join(' '),
    );
  run.abort();
  await clock.until(run.done);
  return { healthy, states };
}

describe('what a run says its stages are at', () => {
  it('all of them are running while frames flow', async () => {
    const { healthy } = await stopped('source');
    expect(healthy.map(({ stage }) => stage)).toEqual([
      'source',
      'mapAsync',
      'writer queue',
      'writer mapAsync',
      'writer',
      'plain queue',
      'plain',
    ]);
    expect(healthy.filter(({ state }) => state !== 'running')).toEqual([]);
  });

  it('a source without frames is stalled, and all wait on it', async () => {
    const { states } = await stopped('source');
    expect(states).toEqual([
      'source stalled',
      'mapAsync waiting source',
      'writer queue waiting source',
      'writer mapAsync waiting source',
      'writer waiting source',
      'plain queue waiting source',
      'plain waiting source',
    ]);
  });

  it('an operator that hangs is stalled, blocks the source, and the rest wait on it', async () => {
    const { states } = await stopped('shape');
    expect(states).toEqual([
      'source blocked operators[0] mapAsync',
      'mapAsync stalled',
      'writer queue waiting mapAsync',
      'writer mapAsync waiting mapAsync',
      'writer waiting mapAsync',
      'plain queue waiting mapAsync',
      'plain waiting mapAsync',
    ]);
  });

  it('an operator of one branch', async () => {
    const { states } = await stopped('double');
    expect(states).toContain('source blocked sinks[0] writer');
    expect(states).toContain('writer queue blocked writer mapAsync');
    expect(states).toContain('writer mapAsync stalled');
    expect(states).toContain('writer waiting writer mapAsync');
  });

  it('a sink', async () => {
    const { states } = await stopped('plain');
    expect(states).toContain('source blocked sinks[1] plain');
    expect(states).toContain('plain queue blocked plain');
    expect(states).toContain('plain stalled');
  });

  it('a sink behind a queue that drops holds nobody else up', async () => {
    const { states } = await stopped('writer', { queue: { limit: 1, whenFull: 'drop-oldest' } });
    expect(states).toContain('source running');
    expect(states).toContain('writer stalled');
    expect(states).toContain('plain running');
  });

  it('an operator that swallows everything', async () => {
    const operators = [filter((frame: Frame) => frame.seq < 20)];
    const { states } = await stopped('', { operators });
    expect(states).toContain('source running');
    expect(states).toContain('operator stalled');
    expect(states).toContain('plain waiting operator');
  });
});

it('names a source that is reconnecting, and since when', () => {
  const source = new StageLedger('rtsp');
  const gate = new Gate();
  const pace = new SourcePace(new VirtualClock(), gate);
  const watch = new StageWatch(watchedStages(source, [], []), gate, pace, 0);
  source.reconnectingSince = 1_500_000_000_123_456_789n;
  expect(watch.look(60_000)[0]).toMatchObject({
    state: 'reconnecting',
    since: '2017-07-14T02:40:00.123Z',
  });
  source.reconnectingSince = undefined;
  expect(watch.look(60_000)[0]).toMatchObject({ state: 'stalled' });
  expect(watch.look(60_000)[0]).not.toHaveProperty('since');
});

describe('the stages of a run', () => {
  const ledgers = (...names: string[]) => names.map((name) => new StageLedger(name));
  const [camera, shape, blur] = ledgers('camera', 'shape', 'blur') as [
    StageLedger,
    StageLedger,
    StageLedger,
  ];

  it('are in the order of frames, each with its kind, its branch and what is before it', () => {
    const stages = watchedStages(
      camera,
      [shape, blur],
      [
        { name: 'video', own: ledgers('video queue', 'video one', 'video two', 'video') },
        { name: 'file', own: ledgers('file queue', 'file') },
      ],
    );
    expect(
      stages.map(({ kind, ledger, branch, before }) => [
        ...[kind, ledger.name, branch, before?.ledger.name],
      ]),
    ).toEqual([
      ['source', 'camera', undefined, undefined],
      ['operator', 'shape', undefined, 'camera'],
      ['operator', 'blur', undefined, 'shape'],
      ['queue', 'video queue', 'video', 'blur'],
      ['operator', 'video one', 'video', 'video queue'],
      ['operator', 'video two', 'video', 'video one'],
      ['sink', 'video', 'video', 'video two'],
      ['queue', 'file queue', 'file', 'blur'],
      ['sink', 'file', 'file', 'file queue'],
    ]);
  });
});

/** A watch over source → shape → queue → double → sink, whose ledgers a test sets. */
function watched({ start = 0, usualMs = 10, sourceQuietMs = 0 } = {}) {
  const gate = new Gate();
  const ledgers = {
    source: new StageLedger('source'),
    shape: new StageLedger('shape', true),
    queue: new StageLedger('queue'),
    double: new StageLedger('double', true),
    sink: new StageLedger('sink'),
  };
  const { source, shape, queue, double, sink } = ledgers;
  const stages = watchedStages(source, [shape], [{ name: 'file', own: [queue, double, sink] }]);
  const pace = { usualMs, quietMs: () => sourceQuietMs } as unknown as SourcePace;
  const watch = new StageWatch(stages, gate, pace, start);
  const look = (now: number) =>
    Object.fromEntries(watch.look(now).map((state) => [state.stage, state]));
  const state = (name: keyof typeof ledgers, now: number) => {
    const { state: its, on } = look(now)[name] as { state: string; on?: string };
    return on === undefined ? its : `${its} on ${on}`;
  };
  return { ...ledgers, gate, look, state };
}

describe('the state of a stage', () => {
  it('comes with its counts', () => {
    const { sink, queue, look } = watched();
    Object.assign(sink, { entered: 9, left: 4, failed: 2, inFlight: 1, restarts: 3 });
    sink.drop(2, 'stopped');
    queue.queued = 7;
    const states = look(40);
    expect(states.sink).toEqual({
      ...{ stage: 'sink', kind: 'sink', branch: 'file', state: 'running', quietMs: 0 },
      ...{ entered: 9, left: 4, inside: 1, dropped: 2, failed: 2, restarts: 3 },
    });
    expect(states.queue?.queued).toBe(7);
    expect(states.source).not.toHaveProperty('branch');
    expect(look(70).sink?.quietMs).toBe(30);
  });

  it('is running for half a second after a frame, at a high rate', () => {
    const { sink, state } = watched();
    sink.left = 1;
    expect(state('sink', 100)).toBe('running');
    expect(state('sink', 600)).toBe('running');
    expect(state('sink', 601)).toBe('waiting on source');
    sink.inFlight = 1;
    expect(state('sink', 2100)).toBe('running');
    expect(state('sink', 2101)).toBe('stalled');
    sink.left = 2;
    expect(state('sink', 2102)).toBe('running');
  });

  it('is judged by the usual time of a frame, at a low rate', () => {
    const { sink, state } = watched({ start: 1000 });
    sink.left = 2;
    // 5 s per frame.
    expect(state('sink', 11_000)).toBe('running');
    expect(state('sink', 21_000)).toBe('running');
    expect(state('sink', 21_001)).toBe('waiting on source');
    sink.inFlight = 1;
    expect(state('sink', 36_000)).toBe('running');
    expect(state('sink', 36_001)).toBe('stalled');
  });

  it('is waiting before the first frame, and stalled if that does not get through', () => {
    const { sink, state } = watched();
    expect(state('sink', 0)).toBe('waiting on source');
    sink.inFlight = 1;
    expect(state('sink', 2000)).toBe('running');
    expect(state('sink', 2001)).toBe('stalled');
  });

  it('is running when it drops or fails, unless it is a queue', () => {
    const { sink, double, queue, state } = watched();
    sink.failed = 1;
    double.drop(1, 'too dark');
    queue.drop(1, 'queue full');
    expect(state('sink', 5000)).toBe('running');
    expect(state('double', 5000)).toBe('running');
    expect(state('queue', 5000)).toBe('waiting on source');
    sink.drop(1, 'stopped');
    double.failed = 1;
    expect(state('sink', 50_000)).toBe('running');
    expect(state('double', 50_000)).toBe('running');
    queue.left = 1;
    expect(state('queue', 50_000)).toBe('running');
  });

  it('of an operator is stalled if it swallows all frames; a sink is not blamed for that', () => {
    const { shape, sink, state } = watched();
    Object.assign(shape, { entered: 5, left: 2 });
    Object.assign(sink, { entered: 5, left: 2 });
    expect(state('shape', 100)).toBe('running');
    // As many as when it last gave a frame.
    expect(state('shape', 10_000)).toBe('waiting on source');
    shape.entered = 6;
    sink.entered = 6;
    expect(state('shape', 10_000)).toBe('stalled');
    expect(state('sink', 10_000)).toBe('waiting on shape');
  });

  it('of a full queue is blocked by the first stage behind it that has a frame, or hangs', () => {
    const { queue, double, sink, state } = watched();
    queue.inFlight = 1;
    sink.inFlight = 1;
    expect(state('queue', 0)).toBe('blocked on sink');
    double.inFlight = 1;
    expect(state('queue', 0)).toBe('blocked on double');
    double.inFlight = 0;
    // It holds a frame that it does not report.
    double.entered = 1;
    expect(state('queue', 1000)).toBe('blocked on sink');
    expect(state('queue', 3000)).toBe('blocked on double');
    Object.assign(double, { entered: 0 });
    sink.inFlight = 0;
    expect(state('queue', 3000)).toBe('blocked on sink');
  });

  it('names what it waits for: the first stage above that does not wait itself', () => {
    const { queue, double, state } = watched({ sourceQuietMs: 600 });
    expect(state('sink', 0)).toBe('waiting on source');
    queue.left = 1;
    expect(state('sink', 0)).toBe('waiting on queue');
    double.left = 1;
    expect(state('sink', 0)).toBe('waiting on double');
  });
});

describe('the state of a source', () => {
  const at = (sourceQuietMs: number, usualMs = 10, left = 1) => {
    const test = watched({ sourceQuietMs, usualMs });
    test.source.left = left;
    return test;
  };

  it('is running, then waiting for the next frame, then stalled', () => {
    expect(at(500).state('source', 0)).toBe('running');
    expect(at(501).state('source', 0)).toBe('waiting on the next frame');
    expect(at(1500).state('source', 0)).toBe('waiting on the next frame');
    expect(at(1501).state('source', 0)).toBe('stalled');
    expect(at(77).look(0).source?.quietMs).toBe(77);
  });

  it('is judged by the usual time of its frames', () => {
    expect(at(2000, 1000).state('source', 0)).toBe('running');
    expect(at(2001, 1000).state('source', 0)).toBe('waiting on the next frame');
    expect(at(5000, 1000).state('source', 0)).toBe('waiting on the next frame');
    expect(at(5001, 1000).state('source', 0)).toBe('stalled');
  });

  it('is waiting before its first frame', () => {
    expect(at(0, 0, 0).state('source', 0)).toBe('waiting on the next frame');
  });

  it('is blocked while anything holds the gate, and names all of that', () => {
    const { gate, state } = at(9000);
    gate.hold('sinks[0] file');
    gate.hold('a subscriber');
    expect(state('source', 0)).toBe('blocked on sinks[0] file, a subscriber');
  });

  it('is of the source alone: a stage behind it does not reconnect', () => {
    const { sink, look } = at(0);
    sink.reconnectingSince = 5n;
    expect(look(0).sink).not.toHaveProperty('since');
  });
});
