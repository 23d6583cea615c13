import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tap } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import type { EngineChoice } from '../../src/inference/engines/choice.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline, type OperatorInput } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { runPipeline, startPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { fakeHelper, referenceHelper } from '../support/engines.ts';
import { imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { GrpcInferenceServer } from '../support/kserve/grpc-server.ts';
import { HttpInferenceServer } from '../support/kserve/http-server.ts';
import type { InferenceServer } from '../support/kserve/inference-server.ts';
import { type FixtureModel, putModel } from '../support/models.ts';
import { processesOf } from '../support/processes.ts';

/** What every engine must do, and what may happen to one. */
interface Subject {
  readonly name: string;
  engine(): EngineChoice;
  /** The same as options of `estimate-depth`. */
  options(): object;
  /** True if it runs ONNX Runtime in another process. */
  readonly isHelper: boolean;
  /** Ways to lose the engine, by the red of the picture at which it happens; and what is said of it. */
  readonly losses: readonly (readonly [what: string, red: number, says: RegExp])[];
  /** Options with which it takes a fifth of a second for a picture, or a model that takes even longer. */
  slow(): { readonly model?: FixtureModel; readonly options?: object };
  /** A picture that the engine fails on without being lost. */
  readonly failure: readonly [model: FixtureModel, red: number, says: RegExp];
}

/** Of an engine that is slow on purpose, on a busy machine. */
const deadline = '60s';

const servers = { HTTP: new HttpInferenceServer(), gRPC: new GrpcInferenceServer() };
beforeAll(async () => {
  for (const server of Object.values(servers)) await server.start();
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.stop();
});

const served = ([transport, server]: [string, InferenceServer]): Subject => ({
  name: `kserve over ${transport}`,
  engine: () => ({
    ...{ name: 'kserve', url: server.url },
    ...{ deadlineMs: 10_000, startWithinMs: 10_000 },
  }),
  options: () => ({ engine: 'kserve', kserve: { url: server.url } }),
  isHelper: false,
  // A server that is away comes back by itself: test/inference/kserve.test.ts.
  losses: [],
  slow: () => {
    server.onPicture = () => sleep(200);
    return { options: { engine: 'kserve', kserve: { url: server.url, deadline } } };
  },
  failure: ['metres', 248, /^metres failed: .*it is too dark/],
});

const reference = (): EngineChoice => ({
  name: 'process',
  command: [referenceHelper()],
  deadlineMs: 10_000,
  startWithinMs: 20_000,
});

const subjects: readonly Subject[] = [
  {
    name: 'onnxruntime',
    engine: () => ({ name: 'onnxruntime' }),
    options: () => ({}),
    isHelper: false,
    losses: [],
    slow: () => ({ model: 'slow' }),
    failure: ['fails', 120, /^fails failed: .*out of data bounds/],
  },
  {
    name: 'process: the reference helper',
    engine: reference,
    options: () => ({ engine: 'process', process: { command: [referenceHelper()] } }),
    isHelper: true,
    losses: [],
    slow: () => ({
      model: 'slow',
      options: { engine: 'process', process: { command: [referenceHelper()], deadline } },
    }),
    failure: ['fails', 120, /^fails failed: .*out of data bounds/],
  },
  {
    name: 'process: a helper in Python',
    engine: () => fakeHelper('', { deadlineMs: 2000 }),
    options: () => ({
      engine: 'process',
      process: { command: [...fakeHelper().command] },
    }),
    isHelper: false,
    losses: [
      ['an exit', 240, /the helper python3 ended with exit code 3 \[out of memory\]/],
      ['a crash', 241, /the helper python3 was killed by SIGSEGV/],
      ['an answer that is too long', 243, /sent 384 bytes of depth instead of 192 \(8×6 float32\)/],
      ['garbage', 244, /where a message must begin with "DPTH"/],
      ['half an answer, and an exit', 245, /ended with exit code 0/],
      ['a wrong number', 246, /answered picture \d+ instead of \d+/],
      ['a message of another kind', 249, /with a message of type 7/],
      ['half an answer, and then nothing', 250, /gave no answer within 2 s and was ended/],
      [
        'an answer that is too short',
        251,
        /sent 188 bytes of depth instead of 192 \(8×6 float32\)/,
      ],
    ],
    slow: () => ({
      options: { engine: 'process', process: { command: fakeHelper('slow').command, deadline } },
    }),
    failure: ['metres', 248, /^metres failed: it is too dark/],
  },
  ...Object.entries(servers).map(served),
];

let directory: string;
const open: DepthEstimator[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'engines-'));
});
afterEach(async () => {
  for (const server of Object.values(servers)) server.onPicture = () => {};
  await Promise.all(open.splice(0).map((estimator) => estimator.close()));
  rmSync(directory, { recursive: true });
  await until(() => processesOf('helper').length === 0);
});

const red = (value: number, seq = 0) => imageFrame(8, 6, seq, () => [value, 0, 0]);

describe.each(subjects)('the engine $name', (subject) => {
  const { engine, options, isHelper, losses, failure, slow } = subject;

  async function estimator(
    model: FixtureModel = 'metres',
    workers = 1,
    onRestart: (why: string) => void = () => {},
  ) {
    const path = putModel(directory, model);
    const opened = await DepthEstimator.open({ model: path, engine: engine(), workers, onRestart });
    open.push(opened);
    return opened;
  }

  it('gives each picture its own depth, whichever worker has it', async () => {
    const depth = await estimator('metres', 2);
    const frames = await Promise.all(
      Array.from({ length: 40 }, (_, i) => depth.estimate(red(i * 5, i))),
    );
    frames.forEach(({ seq, data, width, height }, i) => {
      expect({ seq, width, height }).toEqual({ seq: i, width: 8, height: 6 });
      expect(data[17]).toBeCloseTo((i * 5) / 100, 5);
    });
  });

  it('reads the frames of a source in its threads, in order', async () => {
    const model = putModel(directory, 'metres');
    const run = async (before: OperatorInput[]) => {
      const seen: DepthFrame[] = [];
      const { branches, error } = await runPipeline(
        definePipeline({
          source: testPattern({ width: 8, height: 6, pattern: 'ball', frames: 60 }),
          operators: [
            ...before,
            estimateDepth({ model, workers: 2, ...options() }),
            tap<Frame>((frame) => seen.push(frame as DepthFrame)),
          ],
          sinks: [discard()],
        }),
      );
      expect(error).toBeUndefined();
      expect(branches.map(imbalance)).toEqual([0]);
      return seen;
    };
    // An operator of the user's in front needs each frame in the main thread.
    const [direct, usual] = [await run([]), await run([tap<Frame>(() => {})])];
    expect(direct.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, seq) => seq));
    expect(direct.map(({ data }) => [...data])).toEqual(usual.map(({ data }) => [...data]));
  });

  it('that is slow gets the newest frame of a camera; those that it replaces are counted', async () => {
    const given = slow();
    const seen: number[] = [];
    const run = await startPipeline(
      definePipeline({
        source: testPattern({ width: 8, height: 6, pattern: 'white', fps: 50, realtime: true }),
        operators: [
          estimateDepth({
            model: putModel(directory, given.model ?? 'metres'),
            ...(given.options ?? options()),
          }),
          tap<Frame>(({ seq }) => seen.push(seq)),
        ],
        sinks: [discard()],
      }),
    );
    // A frame is missing between two that were seen: newer ones have replaced it.
    await until(() => seen.some((seq, at) => at > 0 && seq > (seen[at - 1] as number) + 1));
    run.stop();
    const { branches, error } = await run.done;
    expect(error).toBeUndefined();
    expect(branches.map(imbalance)).toEqual([0]);
    expect(branches[0]?.failed).toBe(0);
    const dropped = branches[0]?.dropped.reduce((sum, { count }) => sum + count, 0);
    expect(dropped).toBeGreaterThan(0);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it
    .runIf(isHelper)
    .each(['metres', 'planar', 'half', 'half-in', 'half-out', 'open-size', 'log'] as const)(
    'gives bit for bit the depth of ONNX Runtime in the thread: %s',
    async (model) => {
      const picture = imageFrame(8, 6, 3, (x, y) => [x * 30, y * 40, x * y]);
      const path = putModel(directory, model);
      const inThread = await DepthEstimator.open({ model: path });
      open.push(inThread);
      const [ours, wanted] = [
        await (await estimator(model)).estimate(picture),
        await inThread.estimate(picture),
      ];
      expect(ours).toMatchObject({ width: wanted.width, height: wanted.height });
      expect(Buffer.from(ours.data.buffer).equals(Buffer.from(wanted.data.buffer))).toBe(true);
    },
  );

  it('fails on one picture, and goes on', async () => {
    const [model, value, says] = failure;
    const restarts: string[] = [];
    const depth = await estimator(model, 1, (why) => restarts.push(why));
    await expect(depth.estimate(red(value))).rejects.toThrow(says);
    expect((await depth.estimate(red(9))).data).toHaveLength(48);
    expect(restarts).toEqual([]);
  });

  it.runIf(losses.length > 0)('is replaced when it is lost; only its picture fails', async () => {
    const restarts: string[] = [];
    const depth = await estimator('metres', 1, (why) => restarts.push(why));
    for (const [what, value, says] of losses) {
      const before = processesOf('helper');
      await expect(depth.estimate(red(value)), what).rejects.toThrow(says);
      expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
      expect(restarts.splice(0), what).toEqual([expect.stringMatching(says) as string]);
      // Nothing of the old one is left.
      const after = processesOf('helper');
      expect(after).toHaveLength(1);
      expect(before).not.toEqual(after);
    }
  });
});

it('the reference helper gives bit for bit what FastDepth gives in the thread', async () => {
  const picture = imageFrame(224, 224, 0, (x, y) => [(x * y) & 255, (x * 3) & 255, (y * 5) & 255]);
  const both = await Promise.all(
    [reference(), undefined].map((engine) =>
      DepthEstimator.open({ model: 'fastdepth', ...(engine && { engine }) }),
    ),
  );
  open.push(...both);
  const [ours, wanted] = await Promise.all(both.map((depth) => depth.estimate(picture)));
  expect(Buffer.from(ours!.data.buffer).equals(Buffer.from(wanted!.data.buffer))).toBe(true);
});
