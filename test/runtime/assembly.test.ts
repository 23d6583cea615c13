import { defer, lastValueFrom, map, of, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { defineOperator, defineSink, defineSource } from '../../src/core/component.ts';
import type { ComponentContext } from '../../src/core/component-context.ts';
import { DepthlineError } from '../../src/core/errors.ts';
import type { Frame } from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { noLiveOptions } from '../../src/core/live-options.ts';
import { addSecret } from '../../src/core/secrets.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import { Assembly } from '../../src/runtime/assembly.ts';
import { Closings } from '../../src/runtime/closings.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { imageFrame } from '../support/frames.ts';

const common = { summary: 'For tests.', options: z.strictObject({}), examples: [{}] };
type Create = (context: ComponentContext) => unknown;

const source = (create: Create = () => of(imageFrame(2, 2, 0))) =>
  defineSource({
    ...{ ...common, name: 'camera', emits: ['image'] },
    create: (_, context) => create(context) as never,
  })({});
const operator = (name: string, create: Create = () => map((frame: Frame) => frame)) =>
  defineOperator({
    ...{ ...common, name, accepts: ['image'], emits: 'same', queued: true },
    create: (_, context) => create(context) as never,
  })({});
const sink = (name: string, create: Create = () => ({ write: () => {} })) =>
  defineSink({
    ...{ ...common, name, accepts: ['image'] },
    create: (_, context) => create(context) as never,
  })({});

function made(input: Partial<PipelineInput>, signal = new AbortController().signal) {
  const pipeline = definePipeline({ source: source(), sinks: [sink('file')], ...input });
  const logs: string[] = [];
  const log = (level: string) => (text: string) => logs.push(`${level} ${text}`);
  const closings = new Closings();
  const [clock, gate] = [new VirtualClock(), new Gate()];
  const stats = vi.fn();
  const assembly = new Assembly({
    ...{ pipeline, clock, gate, closings, signal, stats, live: noLiveOptions },
    log: { debug: log('debug'), info: log('info'), warn: log('warn') },
    patienceMs: () => 100,
    onFailure: vi.fn(),
    onBranchEnd: vi.fn(),
    onWanted: vi.fn(),
  });
  return { assembly, pipeline, logs, closings, clock, gate, stats };
}

/** Builds a pipeline; gives the context that each component got, in the order of their creation. */
async function contexts(input: (keep: Create) => Partial<PipelineInput>) {
  const kept: ComponentContext[] = [];
  const test = made(
    input((context) => {
      kept.push(context);
      return undefined;
    }),
  );
  await test.assembly.build();
  // Which part of the pipeline is built sooner is not promised.
  const parts = ['sinks', 'operators', 'source'];
  const rank = ({ path }: ComponentContext) => parts.findIndex((part) => path.startsWith(part));
  return { ...test, kept: kept.toSorted((a, b) => rank(a) - rank(b)) };
}

describe('an assembly', () => {
  it('builds branches and trunk each in their order, and subscribes to no source', async () => {
    const order: string[] = [];
    const note = (name: string, result: unknown) => () => {
      order.push(name);
      return result;
    };
    const pass = map((frame: Frame) => frame);
    const { assembly } = made({
      source: source(
        note(
          'camera',
          defer(() => {
            order.push('subscribed');
            return of();
          }),
        ),
      ),
      operators: [operator('one', note('one', pass)), operator('two', note('two', pass))],
      sinks: [
        {
          sink: sink('file', note('file', { write() {} })),
          operators: [operator('own', note('own', pass))],
        },
        sink('video', note('video', { write() {} })),
      ],
    });
    await assembly.build();
    expect(order.toSorted()).toEqual(['camera', 'file', 'one', 'own', 'two', 'video']);
    const among = (...names: string[]) => order.filter((name) => names.includes(name));
    expect(among('file', 'own', 'video')).toEqual(['file', 'own', 'video']);
    expect(among('one', 'two')).toEqual(['one', 'two']);
  });

  it('gives every stage a ledger with a name of its own', async () => {
    const { assembly } = made({
      operators: [operator('one'), operator('one'), map((frame: Frame) => frame)],
      sinks: [
        { sink: sink('file'), operators: [operator('one'), operator('one'), operator('one')] },
        sink('file'),
        sink('camera'),
      ],
    });
    await assembly.build();
    expect(assembly.stages.map(({ name }) => name)).toEqual([
      'camera',
      ...['file queue', 'file', 'file one', 'file one #2', 'file one #3'],
      ...['file-2 queue', 'file-2', 'camera queue', 'camera #2'],
      ...['one', 'one #2', 'operator'],
    ]);
    expect(assembly.stages.filter(({ isOperator }) => isOperator).map(({ name }) => name)).toEqual([
      ...['file one', 'file one #2', 'file one #3', 'one', 'one #2', 'operator'],
    ]);
    expect(assembly.sourceLedger).toBe(assembly.stages[0]);
    expect(assembly.trunk.map(({ name }) => name)).toEqual(['one', 'one #2', 'operator']);
    expect(assembly.operators).toHaveLength(3);
    expect(assembly.branches.map(({ stages }) => stages.map(({ name }) => name))).toEqual([
      [
        ...['camera', 'one', 'one #2', 'operator'],
        ...['file queue', 'file one', 'file one #2', 'file one #3', 'file'],
      ],
      ['camera', 'one', 'one #2', 'operator', 'file-2 queue', 'file-2'],
      ['camera', 'one', 'one #2', 'operator', 'camera queue', 'camera #2'],
    ]);
  });

  it('leaves out a sink that cannot work here, and fails without any', async () => {
    const none = sink('display', () => undefined);
    const { assembly } = made({ sinks: [none, sink('file')] });
    await assembly.build();
    expect(assembly.branches.map(({ branch }) => branch.name)).toEqual(['file']);
    await expect(made({ sinks: [none] }).assembly.build()).rejects.toMatchObject({
      ...{ code: 'SINK', message: 'no sink is left to run; every one was skipped' },
    });
  });

  it('connects the operators of a branch', async () => {
    const written: number[] = [];
    const write = ({ seq }: Frame) => written.push(seq);
    const { assembly } = made({
      sinks: [
        {
          sink: sink('file', () => ({ write })),
          operators: [map((frame: Frame) => ({ ...frame, seq: frame.seq + 10 }))],
        },
      ],
    });
    await assembly.build();
    const [{ branch, connect, stages }] = assembly.branches as [(typeof assembly.branches)[0]];
    connect();
    branch.push(imageFrame(2, 2, 1));
    expect(written).toEqual([11]);
    expect(stages.map(({ entered, left }) => [entered, left])).toEqual([
      ...[
        [0, 0],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    ]);
  });

  it('has the frames of its source', async () => {
    const { assembly } = made({});
    expect(await lastValueFrom(assembly.source.pipe(toArray()))).toEqual([]);
    await assembly.build();
    expect(await lastValueFrom(assembly.source.pipe(toArray()))).toHaveLength(1);
  });
});

describe('a component that cannot be created', () => {
  const fails = () => {
    throw new Error('no such device');
  };

  it.each([
    ['SOURCE', 'source camera', { source: source(fails) }],
    ['OPERATOR', 'operators[0] one', { operators: [operator('one', fails)] }],
    ['SINK', 'sinks[0] file', { sinks: [sink('file', fails)] }],
    [
      'OPERATOR',
      'sinks[0].operators[0] own',
      { sinks: [{ sink: sink('file'), operators: [operator('own', fails)] }] },
    ],
  ] as const)('is named, with %s as the kind of its error', async (code, at, input) => {
    await expect(made(input as never).assembly.build()).rejects.toMatchObject({
      ...{ code, at, message: 'no such device' },
    });
  });

  it('keeps the kind of its own error', async () => {
    const missing = source(async () => {
      throw new DepthlineError('MISSING', 'no plug-in');
    });
    await expect(made({ source: missing }).assembly.build()).rejects.toMatchObject({
      ...{ code: 'MISSING', at: 'source camera' },
    });
  });

  it('is not created when the run was stopped', async () => {
    const create = vi.fn();
    const signal = AbortSignal.abort(new Error('stopped'));
    const { assembly } = made({ sinks: [sink('file', create)] }, signal);
    await expect(assembly.build()).rejects.toThrow('stopped');
    expect(create).not.toHaveBeenCalled();
  });
});

describe('what a component gets', () => {
  const all = (keep: Create): Partial<PipelineInput> => ({
    source: source((context) => keep(context) ?? of()),
    operators: [
      {
        operator: operator('one', (context) => keep(context) ?? map((frame: Frame) => frame)),
        queue: { limit: 7, whenFull: 'drop-newest' },
      },
    ],
    sinks: [
      {
        sink: sink('file', (context) => keep(context) ?? { write() {} }),
        queue: { limit: 3, whenFull: 'drop-oldest' },
        operators: [operator('own', (context) => keep(context) ?? map((frame: Frame) => frame))],
      },
    ],
    baseDirectory: '/base',
  });

  it('is its name, its place, its queue and what is shared', async () => {
    const { kept, clock, gate, assembly, stats } = await contexts(all);
    const branchGate = assembly.branches[0]?.branch.gate;
    expect(kept.map(({ name, path }) => `${name} at ${path}`)).toEqual([
      'file at sinks[0] file',
      'file own at sinks[0].operators[0] own',
      'one at operators[0] one',
      'camera at source camera',
    ]);
    expect(kept.map((context) => context.gate)).toEqual([gate, branchGate, gate, gate]);
    expect(kept[1]?.gate).toBe(branchGate);
    expect(kept[1]?.gate).not.toBe(gate);
    expect(kept.map(({ queue }) => queue)).toMatchObject([
      { limit: 3, whenFull: 'drop-oldest' },
      { limit: 1, whenFull: 'block' },
      { limit: 7, whenFull: 'drop-newest' },
      { limit: 1, whenFull: 'block' },
    ]);
    for (const context of kept) {
      expect(context).toMatchObject({ clock, fused: [], baseDirectory: '/base' });
      expect(context.runStats).toBe(stats);
      expect(context.signal.aborted).toBe(false);
    }
  });

  it('counts in its own ledger', async () => {
    const { kept, assembly } = await contexts(all);
    const ledger = (name: string) => assembly.stages.find((stage) => stage.name === name);
    const [file, , one, camera] = kept as [
      ComponentContext,
      ComponentContext,
      ComponentContext,
      ComponentContext,
    ];
    one.dropped(2, 'too dark');
    one.failed(1);
    one.failed(2);
    one.inFlight(4, 3);
    expect(ledger('one')).toMatchObject({ entered: 0, failed: 3, inFlight: 4, queued: 3 });
    expect(Object.fromEntries(ledger('one')?.dropped ?? [])).toEqual({ 'too dark': 2 });
    // Frames that the camera has lost were captured.
    camera.dropped(3, 'at capture');
    camera.restarted('it crashed');
    camera.restarted('it crashed');
    camera.reconnecting(5n);
    expect(ledger('camera')).toMatchObject({ entered: 3, restarts: 2, reconnectingSince: 5n });
    expect(Object.fromEntries(ledger('camera')?.dropped ?? [])).toEqual({ 'at capture': 3 });
    const sinkLedger = ledger('file');
    if (sinkLedger) sinkLedger.left = 5;
    file.undelivered(2);
    expect(sinkLedger).toMatchObject({ left: 3, failed: 2 });
    file.undelivered(9);
    expect(sinkLedger).toMatchObject({ left: 0, failed: 5 });
  });

  it('logs with its name, without secrets', async () => {
    const { kept, logs } = await contexts(all);
    addSecret('S3CRET-of-assembly');
    kept[0]?.log.debug('key S3CRET-of-assembly');
    kept[0]?.log.info('two');
    kept[1]?.log.warn('three');
    expect(logs).toEqual(['debug file: key ***', 'info file: two', 'warn file own: three']);
    kept[2]?.log.info('S3CRET-of-assembly');
    kept[3]?.log.warn('S3CRET-of-assembly');
    expect(logs.slice(3)).toEqual(['info one: ***', 'warn camera: ***']);
  });

  it('registers closings and reports', async () => {
    const { kept, closings, assembly } = await contexts(all);
    const closed: string[] = [];
    const close = (name: string) => () => {
      closed.push(name);
    };
    kept[0]?.defer(close('file'));
    kept[3]?.defer(close('camera'));
    kept[2]?.summary(() => ({ frames: 5 }));
    expect(assembly.reports.map(({ name, report }) => [name, report()])).toEqual([
      ['one', { frames: 5 }],
    ]);
    await closings.run();
    expect(closed).toEqual(['camera', 'file']);
  });
});
