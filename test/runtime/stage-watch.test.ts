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
