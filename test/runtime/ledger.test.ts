import { describe, expect, it } from 'vitest';
import { overdue } from '../../src/runtime/branch.ts';
import {
  branchAccount,
  imbalance,
  ledgerViolations,
  StageLedger,
} from '../../src/runtime/ledger.ts';

function stage(name: string, counts: Partial<StageLedger> = {}, isOperator = false): StageLedger {
  return Object.assign(new StageLedger(name, isOperator), counts);
}

describe('the account of a branch while it runs', () => {
  const source = stage('source', { entered: 10, left: 10 });
  const operator = stage('operator', { entered: 10, left: 6, inFlight: 3 }, true);
  const sink = stage('sink', { entered: 6, left: 4, inFlight: 2 });
  const account = branchAccount('sink', [source, operator, sink]);

  it('does not take frames in flight for swallowed ones', () => {
    expect(account).toEqual({
      name: 'sink',
      captured: 10,
      added: 0,
      delivered: 4,
      dropped: [{ stage: 'operator', reason: 'filtered', count: 1 }],
      failed: 0,
      inFlight: 5,
    });
  });

  it('balances with what is in flight', () => {
    expect(imbalance(account)).toBe(0);
    expect(imbalance({ ...account, inFlight: 4 })).toBe(1);
  });
});

describe('a stage', () => {
  it('that is no operator swallows nothing unnoticed', () => {
    const queue = new StageLedger('queue');
    queue.entered = 3;
    queue.left = 2;
    expect(queue.drops()).toEqual([]);
    expect(ledgerViolations([queue])).toEqual(['queue: 1 frame not accounted for']);
  });

  it('that drops frames as filtered and swallows others states one sum', () => {
    const sample = stage('sample', { entered: 9, left: 4 }, true);
    sample.drop(2, 'filtered');
    const { dropped } = branchAccount('sink', [sample]);
    expect(dropped).toEqual([{ stage: 'sample', reason: 'filtered', count: 5 }]);
  });
});

describe('the operator that does not complete', () => {
  it('is the first whose input has, not one that still gets frames', () => {
    const busy = new StageLedger('busy', true);
    const done = stage('done', { inputEnded: true, ended: true }, true);
    const late = new StageLedger('late', true);
    late.inputEnded = true;
    expect(overdue([busy, done, late])).toContain('operator "late"');
  });

  it('is the first of all if no input has ended', () => {
    const operators = [new StageLedger('first', true), new StageLedger('second', true)];
    expect(overdue(operators)).toContain('operator "first"');
  });
});
