import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import type { OperatorDefinition, SinkDefinition } from '../../src/core/component.ts';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import { wholeView } from '../../src/depth/view.ts';
import { DepthView, type DepthViewOptions } from '../../src/imaging/depth-view.ts';
import {
  definePipeline,
  discard,
  estimateDepth,
  file,
  runPipeline,
  subscribeDepth,
  testPattern,
  zeromq,
} from '../../src/index.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { encodeFrame, packMessage, unpackMessage } from '../../src/topic/message.ts';
import { LiveFrame } from '../../src/web/live-frame.ts';
import { unpackLive } from '../../src/web/live-message.ts';
import { workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { playFrames, readMcap, recordFrames } from '../support/mcap.ts';
import { putModel } from '../support/models.ts';
import { freeEndpoint } from '../support/topic.ts';

const size = { width: 8, height: 6 };
const image = { ...imageFrame(8, 6), view: wholeView(size) };
const relative: DepthFrame = {
  ...depthFrame(8, 6, 0, (x, y) => 1 + x + y),
  ...{ unit: 'relative', image, picture: image, view: wholeView(size) },
  intrinsics: { fx: 8, fy: 8, cx: 4, cy: 3 },
};
const refusal = /relative, without a unit/;

const operators = builtins.list('operator') as OperatorDefinition[];
const sinks = builtins.list('sink') as SinkDefinition[];
/** These are about metres, and refuse everything else. */
const metric = ['clamp', 'compare-depth', 'point-cloud', 'zones'];

describe('an operator keeps depth relative, or refuses it', () => {
  const cases = operators
    .filter(({ accepts }) => accepts.includes('depth'))
    .flatMap((definition) =>
      definition.examples.map((example, i) => [`${definition.name} #${i}`, definition, example]),
    ) as [string, OperatorDefinition, object][];

  it.each(cases)('%s', async (_, definition, example) => {
    // Examples crop larger pictures.
    const options = 'left' in example ? { left: 0, top: 0, width: 4, height: 3 } : example;
    const unit = { kinds: ['depth'], unit: 'relative', intrinsics: true } as const;
    const checked = definition.options.parse(options);
    const context = { baseDirectory: '.', arriving: unit, thorough: false };
    const problems = (await definition.check?.(checked, context)) ?? [];
    const results: Promise<readonly Frame[]> = runOperator(definition, options, [
      relative,
      { ...relative, seq: 1, pts: 1n },
    ]);
    if (problems.length > 0) {
      expect(problems[0]?.message).toMatch(refusal);
      await expect(results).rejects.toThrow(refusal);
      return;
    }
    expect(metric).not.toContain(definition.name);
    for (const frame of await results) {
      if (frame.kind === 'depth') expect(frame.unit).toBe('relative');
      expect(frame.kind).not.toBe('points');
    }
  });

  it('measure-flicker gives no metres', async () => {
    const context = testContext({ name: 'measure-flicker' });
    const flicker = builtins.get('measure-flicker', 'operator') as OperatorDefinition;
    const operator = await flicker.create(flicker.options.parse({}), context);
    const { from, lastValueFrom } = await import('rxjs');
    await lastValueFrom(from([relative, { ...relative, seq: 1 }]).pipe(operator));
    const summary = [context.report?.()];
    expect(summary[0]).toMatchObject({ compared: 1, relative: expect.anything() as object });
    expect(summary[0]).not.toHaveProperty('metres');
    await context.close();
  });
});

describe('a sink says that depth is relative, or refuses it', () => {
  /** How each sink is known to do so; a new sink needs an entry. */
  const covered = {
    zeromq: 'the topic',
    file: 'npy, its index and the summary; png16 and rgbd refuse it',
    nats: 'messages of the topic; millimetres refuse it; test/sinks/nats.test.ts',
    mqtt: 'takes data only',
    ros1: 'another topic and the summary; 16UC1 refuses it; test/sinks/ros1.test.ts',
    foxglove: 'another topic and the summary; 16UC1 refuses it; test/sinks/foxglove.test.ts',
    mcap: 'another topic, the record of the frame and the summary; 16UC1 refuses it',
    video: 'the colour bar',
    display: 'the colour bar',
    discard: 'says nothing',
    web: 'the header of a frame; test/web/page.test.ts looks at the page',
  };
  it('every sink is covered here', () => {
    expect(Object.keys(covered).toSorted()).toEqual(sinks.map(({ name }) => name).toSorted());
  });

  it.each([
    ['png16', { format: 'png16' }],
    ['rgbd', { layout: 'rgbd' }],
  ])('file refuses it as %s', async (_, options) => {
    const context = testContext({ name: 'file', baseDirectory: workplace() });
    const sink = await file.create(file.options.parse({ directory: 'out', ...options }), context);
    await expect(sink?.write(relative)).rejects.toThrow(refusal);
    await context.close();
  });

  it('mcap has it on another topic, and refuses millimetres', async () => {
    const path = join(workplace(), 'run.mcap');
    const context = await recordFrames(path, [relative]);
    expect(context.report()).toMatchObject({ frames: 1, unit: 'relative' });
    const topics = (await readMcap(path)).map(({ topic }) => topic);
    expect(topics).toContain('/camera/relative_depth/image_raw');
    expect(topics.filter((topic) => topic.includes('/depth/'))).toEqual([]);
    const [played] = await playFrames({ path, as: 'depth' });
    expect(played).toMatchObject({ kind: 'depth', unit: 'relative' });
    const other = join(workplace(), 'other.mcap');
    await expect(recordFrames(other, [relative], { depth: '16UC1' })).rejects.toThrow(refusal);
  });

  it('the topic says so, without a scale, and refuses millimetres', () => {
    const options = { publishedAt: 0n, dropped: 0 };
    const { header, payload } = encodeFrame(relative, { ...options, encoding: '32FC1' });
    expect(header).toMatchObject({ unit: 'relative', encoding: '32FC1', invalid: 0 });
    expect(header).not.toHaveProperty('scale');
    expect(JSON.stringify(header)).not.toMatch(/"m"|"mm"|metre/);
    const parts = packMessage('multipart', 'depth', header, payload);
    expect(unpackMessage(parts).header.unit).toBe('relative');
    const scaled = packMessage('multipart', 'depth', { ...header, scale: 1 }, payload);
    expect(() => unpackMessage(scaled)).toThrow(/relative depth with scale 1/);
    expect(() => encodeFrame(relative, { ...options, encoding: '16UC1' })).toThrow(refusal);
  });

  it('a frame for the web page has no metres', async () => {
    const live = new LiveFrame(
      relative,
      async () => new Uint8Array(1),
      () => 0,
    );
    const { header } = unpackLive(Uint8Array.from(await live.message()).buffer);
    expect(header.depth?.unit).toBe('relative');
    expect(JSON.stringify(header)).not.toContain('"m"');
  });

  describe('the colour bar of video, display and side-by-side', () => {
    const options: DepthViewOptions = {
      ...{ colormap: 'magma', legend: true, percentiles: [2, 98], 'error-max': 0.5 },
    };
    const { unit: _, ...metres } = relative;

    it('has other labels, and the picture is the same', async () => {
      const [a, b] = await Promise.all([
        new DepthView(options).render(relative),
        new DepthView(options).render(metres),
      ]);
      const legend = 2 * Math.round(14 * 2.6);
      const differs = a.data.map((value, i) => Number(value !== b.data[i]));
      const columns = [...differs].flatMap((one, i) => (one ? Math.floor(i / 3) % a.width : []));
      expect(columns.length).toBeGreaterThan(0);
      expect(Math.min(...columns)).toBeGreaterThanOrEqual(a.width - legend);
    });

    it('refuses a range in metres, and leaves the truth out', async () => {
      const fixed = new DepthView({ ...options, max: 5 });
      await expect(fixed.render(relative)).rejects.toThrow(refusal);
      const truth = { ...size, data: relative.data };
      const plain = await new DepthView(options).render(relative);
      const beside = await new DepthView(options).render({ ...relative, truth });
      expect(beside.width).toBe(plain.width);
    });
  });
});

describe('a run with a relative model', () => {
  let cwd: string;
  const received: { unit?: unknown; header: object }[] = [];
  let components: readonly unknown[];

  beforeAll(async () => {
    cwd = workplace();
    mkdirSync(join(cwd, 'models'));
    putModel(join(cwd, 'models'), 'inverse', {}, 'relative');
    const endpoint = await freeEndpoint();
    const stop = new AbortController();
    const reading = (async () => {
      for await (const frame of subscribeDepth(endpoint, { signal: stop.signal })) {
        if (frame.kind === 'depth') received.push(frame);
        if (received.length === 3) stop.abort();
      }
    })();
    const pipeline = definePipeline({
      source: testPattern({ width: 64, height: 48, fps: 30, realtime: true }),
      operators: [estimateDepth({ model: 'relative' })],
      sinks: [zeromq({ bind: endpoint }), file({ directory: 'out', format: 'npy' }), discard()],
      baseDirectory: cwd,
    });
    const run = runPipeline(pipeline, { signal: stop.signal, durationMs: 30_000 });
    await reading;
    components = Object.values((await run).components);
  });

  it('never says m on the topic', () => {
    expect(received).toHaveLength(3);
    for (const { unit, header } of received) {
      expect(unit).toBe('relative');
      expect(JSON.stringify(header)).not.toMatch(/"m"|"mm"|metre|"scale"|"range"/);
    }
  });

  it('says relative in the summary, and in the index of the files', () => {
    const units = components.filter((one) => (one as { unit?: string }).unit === 'relative');
    expect(units).toHaveLength(2);
    expect(JSON.stringify(components)).not.toMatch(/metre|"m"/);
    expect(readdirSync(join(cwd, 'out')).some((name) => name.endsWith('.npy'))).toBe(true);
    const [header, ...rows] = readFileSync(join(cwd, 'out/index.csv'), 'utf8').trim().split('\n');
    expect(header).toBe('seq,pts,capturedAt,files,name,unit,view,intrinsics');
    expect(rows.every((row) => row.includes(',relative,'))).toBe(true);
  });
});
