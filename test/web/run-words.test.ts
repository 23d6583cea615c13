import { describe, expect, it } from 'vitest';
import type { BranchStats, RunStats, StageState } from '../../src/core/run-stats.ts';
import { FailingStages } from '../../web/src/failing-stages.ts';
import { History, linePath } from '../../web/src/history.ts';
import { dropTexts, ledgerRow, runSentence, stateText } from '../../web/src/run-words.ts';
import { testContext } from '../support/context.ts';

const stage = (own: Partial<StageState>): StageState => ({
  ...{ stage: 'estimate-depth', kind: 'operator', state: 'running', quietMs: 12 },
  ...{ entered: 9, left: 8, inside: 1, dropped: 0, failed: 0, restarts: 0 },
  ...own,
});
const stats = (own: Partial<RunStats>): RunStats => ({
  ...testContext().runStats(),
  ...own,
});
const branch: BranchStats = {
  ...{ name: 'web', captured: 100, added: 0, delivered: 90, failed: 1, inFlight: 2, ageMs: 30 },
  dropped: [
    { stage: 'web queue', reason: 'queue full', count: 4 },
    { stage: 'camera', reason: 'at capture', count: 3 },
  ],
};

describe('what the page says of the run', () => {
  it.each<[string, Partial<RunStats>]>([
    ['The source has not started.', {}],
    ['The source has ended.', { stages: [stage({ state: 'stalled' })], ending: true }],
    ['The run is paused.', { paused: true, stages: [stage({})] }],
    ['All stages are running.', { stages: [stage({}), stage({ state: 'waiting', on: 'camera' })] }],
    [
      'web queue waits for web.',
      { stages: [stage({ stage: 'web queue', kind: 'queue', state: 'blocked', on: 'web' })] },
    ],
    ['The source waits for files.', { stages: [stage({})], heldBy: ['files'] }],
    [
      'estimate-depth has stalled for 3.2 s.',
      { stages: [stage({ state: 'stalled', quietMs: 3210 })], heldBy: ['files'] },
    ],
    [
      'camera has lost its input and is reconnecting.',
      { stages: [stage({ stage: 'camera', state: 'reconnecting' }), stage({ state: 'stalled' })] },
    ],
  ])('%s', (sentence, own) => {
    expect(runSentence(stats(own))).toBe(sentence);
  });

  it('says that a sink fails on every frame, until it writes one', () => {
    const failing = new FailingStages();
    const said = (left: number, failed: number) => {
      const stages = [stage({}), stage({ stage: 'file', kind: 'sink', left, failed })];
      failing.update(stages);
      return runSentence(stats({ stages }), failing.failures);
    };
    // What was before the page was opened is not known.
    expect(said(5, 3)).toBe('All stages are running.');
    expect(said(5, 4)).toBe('file has failed on the last frame.');
    expect(said(5, 34)).toBe('file has failed on the last 31 frames.');
    expect(said(5, 34)).toBe('file has failed on the last 31 frames.');
    expect(said(6, 34)).toBe('All stages are running.');
    expect(said(36, 35)).toBe('All stages are running.');
    expect(said(36, 36)).toBe('file has failed on the last frame.');
    expect(said(0, 0)).toBe('All stages are running.');
  });

  it('is the state of each stage, with its cause', () => {
    expect(stateText(stage({}))).toBe('running');
    expect(stateText(stage({ state: 'waiting', on: 'camera' }))).toBe('waiting for camera');
    expect(stateText(stage({ state: 'blocked', on: 'web' }))).toBe('blocked by web');
    expect(stateText(stage({ state: 'stalled', quietMs: 12_345 }))).toBe('stalled for 12 s');
    expect(stateText(stage({ state: 'reconnecting', since: '2026-03-01T12:00:05.123Z' }))).toBe(
      'reconnecting since 12:00:05 UTC',
    );
  });

  it('is the ledger of each branch', () => {
    expect(ledgerRow(branch)).toEqual(['web', '100', '90', '7', '1', '2']);
    expect(ledgerRow({ ...branch, added: 5 })[1]).toBe('100 + 5 added');
    expect(dropTexts([branch])).toEqual([
      'web: 4 at web queue, queue full',
      'web: 3 at camera, at capture',
    ]);
  });
});

describe('the history', () => {
  it('has the frames and the greatest age of each second, and no more seconds than it keeps', () => {
    const history = new History(3);
    for (const ages of [[5], [20, 40, 30], [], [7, 6]]) {
      for (const age of ages) history.add(age);
      history.tick();
    }
    expect(history.seconds).toEqual([
      { fps: 3, ageMs: 40 },
      { fps: 0, ageMs: undefined },
      { fps: 2, ageMs: 7 },
    ]);
    history.reset();
    expect(history.seconds).toEqual([]);
  });

  it('is a line with the newest value at the right, and gaps where there is none', () => {
    const plot = { width: 100, height: 22, slots: 5 };
    expect(linePath([10, undefined, 5, 0], plot)).toBe('M25.0 1.0M75.0 11.0L100.0 21.0');
    expect(linePath([], plot)).toBe('');
    expect(linePath([0, 0], { ...plot, slots: 2 })).toBe('M0.0 21.0L100.0 21.0');
  });
});
