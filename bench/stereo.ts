import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-node';
import { measured } from '../src/benchmark/statistics.ts';
import { findModel } from '../src/inference/model-files.ts';
import { findStereoModel } from '../src/inference/stereo/stereo-manifest.ts';
import type { Bench } from './support/bench.ts';
import { widerModel } from './support/wider-model.ts';

interface Subject {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** Median of each round. */
  readonly rounds: number[];
}

/**
 * The network for two lenses against the one for a single lens, in ONNX Runtime on one thread: one run of each in turn.
 * The two are shipped for pictures of different sizes, so the second one is measured at both.
 */
export const stereo: Bench = {
  name: 'stereo',
  summary: 'time of the network for two lenses, against that of mono FastDepth, one thread',
  async run({ rounds, seconds, warmUp, model }, print) {
    const pair = await findStereoModel('fastdepth-stereo', '.');
    const mono = await findModel(model, '.');
    const own = mono.manifest.input;
    const { left, right, ...size } = pair.manifest.input;
    if (own.dtype !== 'uint8' || own.layout !== 'NHWC' || own.height !== size.height)
      throw new Error(`${model} must take uint8 NHWC pictures ${size.height} rows high`);
    const bytes = await readFile(mono.path);
    const subjects = [
      await subject('mono', bytes, [own.name], own),
      await subject('mono', widerModel(bytes, own, size.width), [own.name], size),
      await subject('stereo', await readFile(pair.path), [left, right], size),
    ] as const;
    for (let round = -1; round < rounds; round++) {
      const times = subjects.map(() => [] as number[]);
      const end = performance.now() + 1000 * (round < 0 ? warmUp : seconds);
      do {
        for (const [index, { run }] of subjects.entries()) {
          const start = performance.now();
          await run();
          times[index]?.push(performance.now() - start);
        }
      } while (performance.now() < end);
      if (round < 0) continue;
      for (const [index, { rounds }] of subjects.entries())
        rounds.push(measured(times[index] ?? []).median);
    }
    for (const { name, rounds } of subjects) print(name, 'ms', measured(rounds));
    const [small, same, both] = subjects;
    for (const [what, { rounds }] of [
      ['stereo / mono, pictures of the same size', same],
      ['stereo / mono, each at its own size', small],
    ] as const)
      print(what, '×', measured(both.rounds.map((ms, round) => ms / (rounds[round] as number))));
  },
};

async function subject(
  name: string,
  model: Buffer,
  inputs: readonly string[],
  { width, height }: { readonly width: number; readonly height: number },
): Promise<Subject> {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const feeds = Object.fromEntries(
    inputs.map((input, eye) => {
      const picture = Uint8Array.from(
        { length: width * height * 3 },
        (_, i) => ((i * 7919) >> (3 + eye)) & 255,
      );
      return [input, new ort.Tensor('uint8', picture, [1, height, width, 3])];
    }),
  );
  return { name: `${name}, ${width}×${height}`, run: () => session.run(feeds), rounds: [] };
}
