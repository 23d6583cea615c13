import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DepthlineError, reason } from '../core/errors.ts';
import { readRegularFile, whyUnreadable } from '../core/regular-file.ts';
import { loadRuntime, type Runtime } from './engines/load-runtime.ts';

/** One convolution, as `training/latency.py` describes it; `file` is a model that has only this. */
const layerSchema = z.looseObject({ file: z.string() });
const layersSchema = z.array(layerSchema).min(1);
export type Layer = z.infer<typeof layerSchema>;

/** Largest layers.json that is read, bytes. */
const maxLayersBytes = 64 * 2 ** 20;

export interface LayerTimes {
  /** ONNX Runtime's. */
  readonly version: string;
  readonly processor: string;
  readonly threads: number;
  /** The layers, each with the median of its rounds and the rounds that differ most, milliseconds. */
  readonly layers: readonly (Layer & { ms: number; minMs: number; maxMs: number })[];
}

export interface LayerTimesOptions {
  readonly threads: number;
  /** How often every layer is measured; all layers in turn, so that a slow moment hits few of one. */
  readonly rounds: number;
  /** How long a layer runs in a round. */
  readonly roundMs: number;
  /** After each layer of each round. */
  readonly onLayer?: (() => void) | undefined;
}

/**
 * Reads `layers.json` of a folder.
 *
 * @throws DepthlineError `CONFIG` if it is missing or not what latency.py writes
 */
export async function readLayers(folder: string): Promise<readonly Layer[]> {
  const path = join(folder, 'layers.json');
  try {
    return layersSchema.parse(JSON.parse(await readRegularFile(path, maxLayersBytes)));
  } catch (cause) {
    const message = `${layersProblem(path, cause)}; training/latency.py writes such a folder`;
    throw new DepthlineError('CONFIG', message, { cause });
  }
}

function layersProblem(path: string, cause: unknown): string {
  if (cause instanceof z.ZodError) return `${path} is no list of layers`;
  if (cause instanceof SyntaxError) return `${path} is not JSON: ${reason(cause)}`;
  return whyUnreadable(path, cause);
}

/**
 * Time of every layer on this machine, in ONNX Runtime on the CPU. Blocks the thread while it runs one.
 *
 * @throws DepthlineError `MODEL` if a layer's file cannot be loaded or run
 */
export async function measureLayers(
  folder: string,
  layers: readonly Layer[],
  options: LayerTimesOptions,
): Promise<LayerTimes> {
  const { threads, rounds } = options;
  const ort = await loadRuntime();
  ort.env.logLevel = 'fatal';
  const times = layers.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { file }] of layers.entries()) {
      times[i]?.push(await layerMs(ort, join(folder, file), options));
      options.onLayer?.();
    }
  }
  return {
    version: ort.env.versions.node ?? '',
    processor: cpus()[0]?.model ?? 'unknown',
    threads,
    layers: layers.map((layer, i) => {
      const sorted = (times[i] ?? []).toSorted((a, b) => a - b);
      const [ms, minMs, maxMs] = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)] as [
        number,
        number,
        number,
      ];
      return { ...layer, ms, minMs, maxMs };
    }),
  };
}

/** Runs that come first and count for nothing. */
const warmUpRuns = 3;

async function layerMs(
  ort: Runtime,
  path: string,
  { threads, roundMs }: LayerTimesOptions,
): Promise<number> {
  try {
    const session = await ort.InferenceSession.create(path, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
    });
    const [input] = session.inputMetadata;
    if (!input?.isTensor) throw new Error('it has no input');
    const shape = input.shape.map(Number);
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(0.5);
    const feeds = { [input.name]: new ort.Tensor('float32', data, shape) };
    for (let run = 0; run < warmUpRuns; run++) await session.run(feeds);
    const start = performance.now();
    let runs = 0;
    let elapsed = 0;
    while (elapsed < roundMs) {
      await session.run(feeds);
      runs += 1;
      elapsed = performance.now() - start;
    }
    await session.release();
    return elapsed / runs;
  } catch (cause) {
    throw new DepthlineError('MODEL', `${path}: ${reason(cause)}`, { cause });
  }
}
