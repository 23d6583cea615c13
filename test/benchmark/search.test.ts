import { describe, expect, it } from 'vitest';
import { search } from '../../src/benchmark/search.ts';

/** Scores of each candidate, round by round. */
function machine(scores: Readonly<Record<string, readonly number[]>>) {
  const asked: string[] = [];
  const measure = async (candidate: string) => {
    const n = asked.filter((other) => other === candidate).length;
    asked.push(candidate);
    return scores[candidate]?.[n] as number;
  };
  return { asked, measure, candidates: Object.keys(scores) };
}

const options = { rounds: 4, keepAbove: 0.8 };

describe('the search for the best settings', () => {
  it('gives up those far behind after two rounds, and measures the others in turn', async () => {
    const { asked, measure, candidates } = machine({
      fast: [100, 100, 100, 100],
      slow: [50, 50],
      near: [90, 91, 90, 89],
    });
    const trials = await search(candidates, measure, options);
    expect(trials.map(({ candidate, score }) => [candidate, score])).toEqual([
      ['fast', 100],
      ['near', 90],
      ['slow', 50],
    ]);
    expect(trials[2]?.givenUpAfter).toBe(2);
    expect(asked.slice(6)).toEqual(['fast', 'near', 'fast', 'near']);
  });

  it('is not deceived by one slow moment', async () => {
    const { measure, candidates } = machine({
      good: [20, 100, 101, 100],
      other: [90, 90, 90, 90],
    });
    const [best] = await search(candidates, measure, options);
    expect(best).toMatchObject({ candidate: 'good', score: 100 });
  });

  it('can be stopped', async () => {
    const { measure, candidates } = machine({ a: [1], b: [1] });
    const stop = new AbortController();
    const onMeasured = () => stop.abort(new Error('stopped'));
    const run = search(candidates, measure, { ...options, onMeasured, signal: stop.signal });
    await expect(run).rejects.toThrow('stopped');
  });
});
