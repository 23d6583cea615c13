import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { DepthlineError, reason } from '../core/errors.ts';
import type { ImageFrame, Picture } from '../core/frame.ts';
import { makeFolderSync } from '../core/make-folder.ts';
import { frameErrors } from '../depth/metrics.ts';
import type { ProcessChoice } from '../inference/engines/choice.ts';
import { loadRuntime } from '../inference/engines/load-runtime.ts';
import { DepthEstimator } from '../inference/estimator.ts';
import { findModel, type Model, verifyModel } from '../inference/model-files.ts';
import {
  defaultSettings,
  type SessionSettings,
  sessionOptions,
} from '../inference/session-settings.ts';
import {
  hashOf,
  savedGraphPath,
  type Tuning,
  type TuningKey,
  tuningKey,
  writeTuning,
} from '../inference/tuning-cache.ts';
import { BareModel } from './bare-model.ts';
import { type Candidate, keepAbove } from './candidate.ts';
import { HelperModel, helperChoice } from './helper-model.ts';
import { peakGmacs } from './peak.ts';
import { search, type Trial } from './search.ts';
import { type Measured, measured } from './statistics.ts';
import { type Batches, compareBatches, tuned } from './tune-batches.ts';

export interface TuneOptions {
  readonly model: string;
  readonly baseDirectory: string;
  readonly providers: readonly string[];
  /** `throughput`: pictures per second of all workers; `latency`: one picture at a time. */
  readonly goal: 'throughput' | 'latency';
  /** Other precisions of the model: .onnx files with the same inputs and outputs. */
  readonly others: readonly string[];
  /** Commands of helpers that run the model. */
  readonly helpers?: readonly (readonly string[])[];
  /** Pictures to compare them with the model on. */
  readonly pictures: readonly (ImageFrame | Picture)[];
  /** Share of pixels whose depth may differ from the model's by more than a factor of 1.25. */
  readonly maxLoss: number;
  readonly rounds: number;
  /** Length of one measurement, seconds. */
  readonly seconds: number;
  readonly onMeasured?: (left: number) => void;
  readonly signal?: AbortSignal;
}

export interface TuneResult {
  readonly model: Model;
  readonly trials: readonly Trial<Candidate>[];
  /** Of other precisions, by their path, and of helpers, by their command. */
  readonly accuracy: readonly Accuracy[];
  /** The fastest of all; only what runs in ONNX Runtime is stored. */
  readonly fastest: Trial<Candidate>;
  /** The fastest that runs in ONNX Runtime. */
  readonly best: Trial<Candidate>;
  readonly byDefault: Trial<Candidate>;
  /** With several pictures in a call, for several cameras; none if the model takes one picture only. */
  readonly batches: Batches | undefined;
  /** Time to load the model, and the graph that was saved, milliseconds. */
  readonly loadMs: { readonly model: Measured; readonly saved: Measured };
  readonly usesSavedGraph: boolean;
  /** Multiply-accumulates per second, 10⁹: of the best, and the most that this machine can. */
  readonly gmacs: { readonly best: number; readonly peak: number } | undefined;
  /** Where the settings were stored. */
  readonly path: string;
}

export interface Accuracy {
  readonly path: string;
  readonly delta1: number;
  readonly accepted: boolean;
}

/**
 * Finds the settings with which a model is fastest on this machine, and stores them for `run`.
 *
 * @throws DepthlineError `MODEL` if the model or another precision of it cannot be run
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { providers, rounds, seconds, signal, onMeasured } = options;
  const model = await verifyModel(await findModel(options.model, options.baseDirectory));
  const accuracy = await compareOthers(options);
  const accepted = new Set(accuracy.filter((other) => other.accepted).map(({ path }) => path));
  const helpers = (options.helpers ?? []).filter((command) => accepted.delete(command.join(' ')));
  const candidates = [
    ...allCandidates([model.path, ...accepted], options.goal),
    ...helperCandidates(model, helpers, options.goal),
  ];
  const measure = async ({ path, workers, threads, session, helper }: Candidate) => {
    const { manifestPath } = model;
    const { baseDirectory, goal } = options;
    const inFlight = goal === 'latency' ? 1 : workers + 1;
    const ran = { model: manifestPath, baseDirectory, workers, inFlight };
    const bare = helper
      ? await HelperModel.open({ ...ran, command: helper })
      : await BareModel.open({ model: manifestPath, path, workers, threads, providers, session });
    try {
      return (await bare.run(seconds, signal)).fps;
    } finally {
      await bare.close();
    }
  };
  const trials = await search(candidates, measure, { rounds, keepAbove, signal, onMeasured });
  const fastest = trials[0] as Trial<Candidate>;
  const best = trials.find(({ candidate }) => !candidate.helper) as Trial<Candidate>;
  const byDefault = trials.find(({ candidate }) => isDefault(candidate, model)) ?? best;
  const batches =
    options.goal === 'latency' ? undefined : await compareBatches(best, model, options);
  const key = tuningKey(model.sha256, providers);
  const { file, ...saving } = await saveGraph(best.candidate, key, providers);
  const { workers, threads, session } = best.candidate;
  const other = best.candidate.path === model.path ? undefined : best.candidate.path;
  const used = file ?? other;
  const tuning: Omit<Tuning, 'key'> = {
    ...{ workers, threads, session },
    ...(batches?.faster && { batch: tuned(batches.faster) }),
    ...(used !== undefined && { saved: { path: used, sha256: hashOf(used) ?? '' } }),
    fps: best.score,
    defaultFps: byDefault.score,
    date: new Date().toISOString(),
  };
  const { macs } = model.manifest;
  return {
    ...{ model, trials, accuracy, fastest, best, byDefault, batches, ...saving },
    usesSavedGraph: file !== undefined,
    gmacs: macs ? { best: (best.score * macs) / 1e9, peak: await peakGmacs() } : undefined,
    path: writeTuning(key, tuning),
  };
}

function allCandidates(paths: readonly string[], goal: TuneOptions['goal']): Candidate[] {
  const processors = availableParallelism();
  const counts = [1, 2, 3, 4, 6, 8, 12, 16].filter((n) => n < processors);
  const candidates: Candidate[] = [];
  for (const path of paths) {
    for (const workers of goal === 'latency' ? [1] : [...counts, processors]) {
      for (const threads of [...counts, processors]) {
        if (workers * threads > processors) continue;
        for (const session of allSettings(threads))
          candidates.push({ path, workers, threads, session });
      }
    }
  }
  return candidates;
}

/** A helper is its own engine: there is nothing to set but how many there are. */
function helperCandidates(
  { path }: Model,
  helpers: readonly (readonly string[])[],
  goal: TuneOptions['goal'],
): Candidate[] {
  const counts = goal === 'latency' ? [1] : [1, 2];
  return helpers.flatMap((helper) =>
    counts.map((workers) => ({ path, workers, threads: 1, session: defaultSettings, helper })),
  );
}

function allSettings(threads: number): SessionSettings[] {
  return [true, false].flatMap((arena) =>
    (['all', 'extended'] as const).flatMap((graph) =>
      // A single thread never spins.
      (threads > 1 ? [true, false] : [true]).map((spinning) => ({ spinning, arena, graph })),
    ),
  );
}

function isDefault({ path, workers, threads, session, helper }: Candidate, model: Model): boolean {
  const { spinning, arena, graph } = defaultSettings;
  return (
    !helper &&
    path === model.path &&
    workers === 1 &&
    threads === 1 &&
    session.spinning === spinning &&
    session.arena === arena &&
    session.graph === graph
  );
}

/** How far the depth of other precisions, and of helpers, is from the model's own. */
async function compareOthers(options: TuneOptions): Promise<TuneResult['accuracy']> {
  const { model, baseDirectory, others, helpers = [], pictures, maxLoss, signal } = options;
  const compared: { readonly model: string; readonly engine?: ProcessChoice }[] = [
    ...others.map((other) => ({ model: other })),
    ...helpers.map((command) => ({ model, engine: helperChoice(command) })),
  ];
  if (compared.length === 0) return [];
  const own = await DepthEstimator.open({ model, baseDirectory });
  try {
    const results: Accuracy[] = [];
    for (const one of compared) {
      const { model: other } = one;
      const estimator = await DepthEstimator.open({ ...one, baseDirectory });
      try {
        if (contract(estimator.model) !== contract(own.model)) {
          const message = `${other} has other inputs or outputs than ${model}; only its precision may differ`;
          throw new DepthlineError('MODEL', message);
        }
        let near = 0;
        let all = 0;
        for (const picture of pictures) {
          signal?.throwIfAborted();
          const [wanted, given] = await Promise.all([
            own.estimate(picture),
            estimator.estimate(picture),
          ]);
          const errors = frameErrors(given.data, wanted.data);
          const { pixels = 0, coverage = 1, delta1 = 0 } = errors ?? {};
          near += pixels * delta1;
          all += pixels / coverage;
        }
        const delta1 = all > 0 ? near / all : 0;
        const path = one.engine?.command.join(' ') ?? estimator.model.path;
        results.push({ path, delta1, accepted: delta1 >= 1 - maxLoss });
      } finally {
        await estimator.close();
      }
    }
    return results;
  } finally {
    await own.close();
  }
}

function contract({ manifest }: Model): string {
  return JSON.stringify([manifest.input, manifest.output]);
}

const loadRounds = 7;

/** Saves the optimized graph; returns its path if it loads faster than the model. */
async function saveGraph(
  { path, threads, session }: Candidate,
  key: TuningKey,
  providers: readonly string[],
) {
  const ort = await loadRuntime();
  const file = savedGraphPath(key);
  const options = sessionOptions(session, threads, providers);
  const load = async (from: string, extra: InferenceSession.SessionOptions = {}) => {
    const start = performance.now();
    const opened = await ort.InferenceSession.create(from, { ...options, ...extra });
    const ms = performance.now() - start;
    await opened.release();
    return ms;
  };
  ort.env.logLevel = 'fatal';
  try {
    makeFolderSync(dirname(file));
    // ONNX Runtime would follow a link of that name.
    rmSync(file, { force: true });
    await load(path, { optimizedModelFilePath: file });
  } catch (cause) {
    const message = `cannot save the graph as ${file}: ${reason(cause)}; set DEPTHLINE_CACHE to a writable folder`;
    throw new DepthlineError('MISSING', message, { cause });
  }
  const times = { model: [] as number[], saved: [] as number[] };
  for (let round = 0; round < loadRounds; round++) {
    times.model.push(await load(path));
    times.saved.push(await load(file));
  }
  const loadMs = { model: measured(times.model), saved: measured(times.saved) };
  const faster = loadMs.saved.median < loadMs.model.min;
  return { loadMs, file: faster ? file : undefined };
}
