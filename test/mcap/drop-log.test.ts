import { describe, expect, it } from 'vitest';
import type { BranchAccount, Drop } from '../../src/core/run-stats.ts';
import { DropLog } from '../../src/mcap/drop-log.ts';

function account(dropped: Drop[], failed = 0): BranchAccount {
  const counts = { captured: 0, added: 0, delivered: 0, inFlight: 0 };
  return { name: 'mcap', ...counts, dropped, failed };
}
const lost = (count: number, reason = 'at capture', stage = 'cam'): Drop => ({
  stage,
  reason,
  count,
});

describe('DropLog', () => {
  it('gives a drop to the frame behind the gap, also when it was counted ahead', () => {
    const log = new DropLog();
    expect(log.before(0, account([lost(2)]))).toEqual([]);
    expect(log.before(1, account([lost(2)]))).toEqual([]);
    expect(log.before(3, account([lost(2)]))).toEqual([lost(1)]);
    expect(log.before(5, account([lost(2)]))).toEqual([lost(1)]);
    expect(log.rest(account([lost(2)]))).toEqual([]);
  });

  it('keeps the order of reasons, and counts failures', () => {
    const log = new DropLog();
    log.before(0, account([]));
    log.before(1, account([lost(1, 'too old', 'queue')]));
    const all = account([lost(1, 'too old', 'queue'), lost(2)], 1);
    expect(log.before(4, all)).toEqual([lost(1, 'too old', 'queue'), lost(1)]);
    expect(log.rest(all)).toEqual([lost(1), lost(1, 'failed', 'mcap')]);
  });

  it('counts frames before the first one', () => {
    expect(new DropLog().before(3, account([lost(3)]))).toEqual([lost(3)]);
  });

  it('holds one entry of each reason, however long no gap asks for them', () => {
    const log = new DropLog();
    for (let seq = 0; seq < 1000; seq++) {
      const all = account([lost(seq, 'no partner'), lost(seq, 'damaged')]);
      expect(log.before(seq, all)).toEqual([]);
    }
    expect(log.rest(undefined)).toEqual([lost(999, 'no partner'), lost(999, 'damaged')]);
  });

  it('takes no drop back when an operator lets frames go that it held', () => {
    const log = new DropLog();
    log.before(0, account([lost(3, 'filtered', 'delay')]));
    expect(log.before(4, account([lost(1, 'filtered', 'delay')]))).toEqual([
      lost(3, 'filtered', 'delay'),
    ]);
  });

  it('knows nothing without an account', () => {
    expect(new DropLog().before(3, undefined)).toEqual([]);
  });
});
