import { map, tap } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { StageTimes } from '../../src/runtime/stage-times.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { collector, ticker } from '../support/parts.ts';

describe('time that stages take of their thread', () => {
  it('is charged to the stage that is at work, not to those that wait for it', () => {
    let now = 0;
    const times = new StageTimes(() => now);
    times.enter('outer');
    now += 3;
    times.enter('inner');
    now += 5;
    times.leave();
    now += 1;
    times.leave();
    now += 100;
    times.enter('inner');
    now += 2;
    times.leave();
    expect(Object.fromEntries(times.read())).toEqual({ outer: 4, inner: 7 });
  });

  it('is measured by the monotonic clock by default', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(5);
    const times = new StageTimes();
    times.enter('stage');
    now.mockReturnValue(7.5);
    times.leave();
    now.mockRestore();
    expect(times.read().get('stage')).toBe(2.5);
  });

  it('is added up by a run, stage by stage', async () => {
    let now = 0;
    const times = new StageTimes(() => now);
    const clock = new VirtualClock();
    const takes = (ms: number) => () => {
      now += ms;
    };
    const pipeline = definePipeline({
      source: ticker({ frames: 4 }),
      operators: [tap(takes(10)), map((frame) => frame)],
      sinks: [
        { name: 'one', sink: collector(clock)({}), operators: [tap(takes(2))] },
        { name: 'two', sink: collector(clock)({}) },
      ],
    });
    const run = await startPipeline(pipeline, { clock, listener: times });
    await clock.until(run.done);
    expect(Object.fromEntries(times.read())).toEqual({
      operator: 40,
      'operator #2': 0,
      'one operator': 8,
      one: 0,
      two: 0,
    });
  });
});
