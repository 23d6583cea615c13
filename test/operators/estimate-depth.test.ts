import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, NEVER, Subject, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import type { QueueOptions } from '../../src/core/queue-options.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { imageFrame } from '../support/frames.ts';
import { putModel } from '../support/models.ts';

const roomy: QueueOptions = { limit: 100, whenFull: 'block' };

let directory: string;
let context: TestContext;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'estimate-'));
  mkdirSync(join(directory, 'models'));
  context = testContext({ name: 'estimate-depth', baseDirectory: directory, queue: roomy });
});
afterEach(async () => {
  await context.close();
  rmSync(directory, { recursive: true });
});

function options(over: Parameters<typeof estimateDepth>[0]) {
  return estimateDepth.options.parse(over);
}

const red = (value: number, seq: number) => imageFrame(8, 6, seq, () => [value, 0, 0]);

async function run(
  over: Parameters<typeof estimateDepth>[0],
  frames: readonly Frame[],
): Promise<DepthFrame[]> {
  const operator = await estimateDepth.create(options(over), context);
  const depths = await lastValueFrom(from(frames).pipe(operator, toArray()));
  return depths as DepthFrame[];
}

it.each([1, 3])('keeps the order of frames with %i workers', async (workers) => {
  putModel(join(directory, 'models'), 'metres');
  const frames = Array.from({ length: 40 }, (_, i) => red(i * 5, i));
  const depths = await run({ model: 'metres', workers }, frames);
  expect(depths.map(({ seq }) => seq)).toEqual(frames.map(({ seq }) => seq));
  for (const [i, depth] of depths.entries()) {
    expect(depth.data[0]).toBeCloseTo(i * 0.05);
    expect(depth.image).toBe(frames[i]);
    expect(depth.timings?.['estimate-depth']).toBeGreaterThan(0);
  }
  expect(context.counts).toMatchObject({ failed: 0, inFlight: 0 });
});

describe('a model that fails on a picture', () => {
  const frames = [red(10, 0), red(150, 1), red(20, 2)];

  it('ends the run', async () => {
    putModel(directory, 'fails');
    await expect(run({ model: 'fails.onnx' }, frames)).rejects.toMatchObject({ code: 'MODEL' });
    expect(context.counts.failed).toBe(1);
  });

  it('or only counts the frame', async () => {
    putModel(directory, 'fails');
    const depths = await run({ model: 'fails.onnx', 'on-error': 'skip' }, frames);
    expect(depths.map(({ seq }) => seq)).toEqual([0, 2]);
    expect(context.counts.failed).toBe(1);
    expect(context.logs).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(/^frame 1 failed: fails failed: /) as string,
      },
    ]);
  });
});

it('completes when nothing comes, and stops when told to', async () => {
  putModel(directory, 'metres');
  expect(await run({ model: 'metres.onnx' }, [])).toEqual([]);
  const operator = await estimateDepth.create(options({ model: 'metres.onnx' }), context);
  const completed = lastValueFrom(NEVER.pipe(operator), { defaultValue: 'completed' });
  context.abort();
  expect(await completed).toBe('completed');
});

it('an error from above passes through', async () => {
  putModel(directory, 'metres');
  const operator = await estimateDepth.create(options({ model: 'metres.onnx' }), context);
  const input = new Subject<Frame>();
  const result = lastValueFrom(input.pipe(operator));
  input.error(new Error('no more light'));
  await expect(result).rejects.toThrow('no more light');
});

it('asks for the view and the size of its model', async () => {
  putModel(directory, 'metres', { input: { view: '4:3' } });
  putModel(directory, 'metres', {}, 'any');
  const requires = (model: string) =>
    estimateDepth.requires!(options({ model }), { fused: [], baseDirectory: directory });
  const resize = { do: 'resize', width: 8, height: 6, fit: 'stretch', on: 'auto' };
  expect(await requires('metres.onnx')).toEqual({ ...resize, view: 4 / 3 });
  expect(await requires('any.onnx')).toEqual(resize);
});

it('a plan shows what the model expects', async () => {
  putModel(directory, 'metres', { input: { view: '4:3' }, output: { range: [0.1, 10] } });
  const plan = (over: Parameters<typeof estimateDepth>[0]) =>
    estimateDepth.plan!(options(over), { fused: [], baseDirectory: directory });
  expect(await plan({ model: 'metres.onnx', workers: 2 })).toEqual({
    model: 'metres',
    file: join(directory, 'metres.onnx'),
    engine: 'onnxruntime',
    expects: '8×6 RGB, a 4:3 view',
    sees: 'the centre of each picture, in the shape that it expects',
    gives: 'metres',
    range: '0.1…10 m',
    workers: 2,
    threads: 1,
    providers: ['cpu'],
    memoryBytes: expect.any(Number) as number,
  });
  putModel(directory, 'inverse');
  expect(await plan({ model: 'inverse.onnx' })).toMatchObject({
    expects: '8×6 RGB, any view',
    gives: 'relative depth, without a unit',
  });
});

it('a plan shows which part of the picture the model sees', async () => {
  putModel(directory, 'metres', { input: { view: '4:3' } });
  const sees = async (cover: 'centre' | 'squeeze' | 'two-views', width?: number) => {
    const size = { width: width ?? 0, height: 720 };
    const view = { left: 0, top: 0, ...size, source: size };
    const plan = await estimateDepth.plan!(options({ model: 'metres.onnx', cover }), {
      fused: [],
      baseDirectory: directory,
      ...(width !== undefined && { picture: { ...size, view } }),
    });
    return plan.sees;
  };
  expect(await sees('centre', 1280)).toBe(
    '960×720 of the 1280×720 picture; 25 % of it is not seen',
  );
  expect(await sees('centre', 960)).toBe('all of the 960×720 picture');
  expect(await sees('squeeze', 1280)).toBe('all of the 1280×720 picture');
  expect(await sees('two-views', 1280)).toBe(
    'all of the 1280×720 picture, in two views that overlap',
  );
  expect(await sees('two-views', 2400)).toMatch(
    /^1920×720 .*; 20 % of it is not seen, in two views/,
  );
  expect(await sees('squeeze')).toBe('all of each picture');
});

it('a launch line delivers what the cover needs', async () => {
  putModel(directory, 'metres', { input: { view: '4:3' } });
  const ask = async (over: object) => {
    const parsed = options({ model: 'metres.onnx', ...over });
    const fusion = await estimateDepth.requires!(parsed, { fused: [], baseDirectory: directory });
    return [fusion, estimateDepth.wantsWhole!(parsed)];
  };
  const squeeze = { do: 'resize', width: 8, height: 6, fit: 'stretch', on: 'auto' };
  expect(await ask({ cover: 'squeeze' })).toEqual([squeeze, false]);
  expect(await ask({ image: 'source' })).toEqual([{ ...squeeze, view: 4 / 3 }, true]);
  expect((await ask({ cover: 'two-views' }))[1]).toBe(true);
});

it('a missing model is said before the first frame', async () => {
  await expect(run({ model: 'fastdept' }, [])).rejects.toMatchObject({
    code: 'MODEL',
    message: expect.stringMatching(/there is no model "fastdept"/) as string,
  });
});

it.each(estimateDepth.examples)('example %#', (example) => {
  expect(Object.keys(options(example))).toEqual(expect.arrayContaining(Object.keys(example)));
});
