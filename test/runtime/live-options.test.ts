import { NEVER } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { LiveOptions } from '../../src/core/live-options.ts';
import {
  clamp,
  colorize,
  definePipeline,
  defineSink,
  defineSource,
  sample,
  smooth,
  startPipeline,
} from '../../src/index.ts';

const camera = defineSource({
  name: 'camera',
  summary: 'Gives nothing, for tests.',
  emits: ['depth'],
  options: z.strictObject({ width: z.int().default(64) }),
  examples: [{}],
  create: async () => NEVER,
});

/** A paused run, and the options that a component of it sees. */
async function running() {
  let live: LiveOptions | undefined;
  const watcher = defineSink({
    name: 'watcher',
    summary: 'Looks at the options of a run, for tests.',
    accepts: ['depth', 'image'],
    options: z.strictObject({}),
    examples: [{}],
    create: async (_, context) => {
      live = context.live;
      return { write: () => {} };
    },
  });
  const pipeline = (alpha: number) =>
    definePipeline({
      source: camera(),
      operators: [smooth({ alpha }), smooth({ method: 'ema' }), clamp({ max: 5 })],
      sinks: [{ name: 'page', sink: watcher(), operators: [colorize(), sample({ every: 2 })] }],
    });
  const run = await startPipeline(pipeline(0.4), { paused: true });
  onTestFinished(async () => {
    run.abort();
    await run.done;
  });
  return { run, pipeline, live: live as LiveOptions };
}

describe('options that a component changes while a run goes on', () => {
  it('are those of all components, each by a name of its own', async () => {
    const { live } = await running();
    const values = Object.fromEntries(live.list().map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({
      'smooth.alpha': 0.4,
      'smooth.method': 'motion',
      'smooth-2.method': 'ema',
      'clamp.max': 5,
      'page.sample.every': 2,
    });
  });

  it('are changed, each for itself, and told to those who listen', async () => {
    const { live, run, pipeline } = await running();
    let changes = 0;
    const end = live.onChange(() => changes++);
    const value = (name: string) => live.list().find((one) => one.name === name)?.value;
    live.set('smooth-2.alpha', 0.7);
    expect([value('smooth.alpha'), value('smooth-2.alpha'), value('smooth-2.method')]).toEqual([
      ...[0.4, 0.7, 'ema'],
    ]);
    live.set('page.sample.every', 3);
    expect(value('page.sample.every')).toBe(3);
    expect(changes).toBe(2);
    // A reload is a change too, and brings what the file says.
    run.adjust(pipeline(0.9));
    expect([value('smooth.alpha'), value('page.sample.every'), changes]).toEqual([0.9, 2, 3]);
    live.set('smooth.alpha', undefined);
    expect(value('smooth.alpha')).toBe(0.4);
    end();
    live.set('smooth.alpha', 0.5);
    expect(changes).toBe(4);
  });

  it.each([
    ['smooth.alpha', 2, /smooth: alpha/],
    ['smooth.alpha', 'much', /smooth: alpha/],
    ['clamp.max', -1, /clamp: max/],
    ['clamp.min', 8, /clamp/],
    ['smooth.alfa', 0.5, /did you mean "smooth.alpha"/],
    ['camera.width', 64, /no option "camera.width" can change/],
    ['', 1, /no option ""/],
  ])('%s = %j is refused, and nothing changes', async (name, value, message) => {
    const { live } = await running();
    const before = live.list();
    expect(() => live.set(name, value)).toThrow(message);
    expect(live.list()).toEqual(before);
  });
});
