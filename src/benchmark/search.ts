/** The result of one candidate. */
export interface Trial<C> {
  readonly candidate: C;
  /** Score of each round it took part in; higher is better. */
  readonly scores: readonly number[];
  /** Their median. */
  readonly score: number;
  /** Round, from 1, after which it was dropped; undefined if it ran to the end. */
  readonly givenUpAfter?: number;
}

export interface SearchOptions {
  readonly rounds: number;
  /** Share of the leader's score below which a candidate is dropped. */
  readonly keepAbove: number;
  readonly onMeasured?: ((left: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Measures all candidates in turn, round by round, so that a slow moment of the machine affects few
 * measurements of each. From the second round on, those far behind the leader are dropped.
 *
 * @returns all trials, the best of those that ran to the end first
 */
export async function search<C>(
  candidates: readonly C[],
  measure: (candidate: C) => Promise<number>,
  { rounds, keepAbove, onMeasured, signal }: SearchOptions,
): Promise<Trial<C>[]> {
  const trials = candidates.map((candidate) => ({
    candidate,
    scores: [] as number[],
    score: 0,
    givenUpAfter: undefined as number | undefined,
  }));
  for (let round = 1; round <= rounds; round++) {
    const left = trials.filter(({ givenUpAfter }) => givenUpAfter === undefined);
    for (const [i, trial] of left.entries()) {
      signal?.throwIfAborted();
      trial.scores.push(await measure(trial.candidate));
      trial.score = median(trial.scores);
      onMeasured?.(left.length - i - 1);
    }
    // A single measurement may coincide with a slow moment of the machine.
    if (round === 1 || round === rounds) continue;
    const best = (scores: readonly number[]) => Math.max(...scores);
    const leader = best(left.map(({ score }) => score));
    for (const trial of left) {
      if (best(trial.scores) < keepAbove * leader) trial.givenUpAfter = round;
    }
  }
  const early = (trial: (typeof trials)[number]) => trial.givenUpAfter ?? rounds + 1;
  return trials
    .toSorted((a, b) => early(b) - early(a) || b.score - a.score)
    .map(({ givenUpAfter, ...trial }) => ({
      ...trial,
      ...(givenUpAfter !== undefined && { givenUpAfter }),
    }));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] as number) + (sorted[Math.ceil(at)] as number)) / 2;
}
