import { availableParallelism } from 'node:os';
import { batchProblem } from '../inference/model-contract.ts';
import type { Model } from '../inference/model-files.ts';
import { openModel } from '../inference/open-model.ts';
import type { Tuning } from '../inference/tuning-cache.ts';
import { BareModel } from './bare-model.ts';
import { type Candidate, keepAbove } from './candidate.ts';
import { search, type Trial } from './search.ts';

/** Settings with so many pictures in each call. */
export interface BatchCandidate extends Candidate {
  readonly batch: number;
}

export interface BatchOptions {
  readonly providers: readonly string[];
  readonly rounds: number;
  /** Length of one measurement, seconds. */
  readonly seconds: number;
  readonly onMeasured?: (left: number) => void;
  readonly signal?: AbortSignal;
}

export interface Batches {
  /** One picture per call among them, the best first. */
  readonly trials: readonly Trial<BatchCandidate>[];
  /** The fastest, if it is faster than one picture per call beyond doubt. */
  readonly faster: Trial<BatchCandidate> | undefined;
}

const sizes = [2, 4, 8];

/**
 * Measures whether calls of several pictures are faster than the best settings with one, in turn with it.
 *
 * @returns nothing if the model's batch is not dynamic
 */
export async function compareBatches(
  { candidate }: Trial<Candidate>,
  model: Model,
  { providers, rounds, seconds, signal, onMeasured }: BatchOptions,
): Promise<Batches | undefined> {
  const opened = await openModel(candidate.path);
  const single = batchProblem(opened, model.manifest, 2);
  await opened.release();
  if (single !== undefined) return undefined;
  const { manifestPath } = model;
  const measure = async ({ path, workers, threads, session, batch }: BatchCandidate) => {
    const settings = { path, workers, threads, batch, providers, session };
    const bare = await BareModel.open({ model: manifestPath, ...settings });
    try {
      return (await bare.run(seconds, signal)).fps;
    } finally {
      await bare.close();
    }
  };
  const one = { ...candidate, batch: 1 };
  const candidates = [one, ...shapes(candidate).flatMap(withSizes)];
  const trials = await search(candidates, measure, { rounds, keepAbove, signal, onMeasured });
  return { trials, faster: fasterThanOne(trials) };
}

/** As it is, and all processors on one call, which has more to share out among threads now. */
function shapes(candidate: Candidate): Candidate[] {
  const wide = { ...candidate, workers: 1, threads: availableParallelism() };
  const same = candidate.workers === 1 && candidate.threads === wide.threads;
  return same ? [candidate] : [candidate, wide];
}

function withSizes(candidate: Candidate): BatchCandidate[] {
  return sizes.map((batch) => ({ ...candidate, batch }));
}

/** Its median is above all that one picture per call has reached: a quiet moment is not enough. */
function fasterThanOne(
  trials: readonly Trial<BatchCandidate>[],
): Trial<BatchCandidate> | undefined {
  const one = trials.find(({ candidate }) => candidate.batch === 1);
  const [best] = trials.filter(({ candidate }) => candidate.batch > 1);
  return one && best && best.score > Math.max(...one.scores) ? best : undefined;
}

/** As it is stored. */
export function tuned({ candidate, score }: Trial<BatchCandidate>): Tuning['batch'] {
  const { batch: size, workers, threads } = candidate;
  return { size, workers, threads, fps: score };
}
