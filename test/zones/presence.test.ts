import { describe, expect, it } from 'vitest';
import { Presence } from '../../src/zones/presence.ts';

const holds = { enterAfter: 100, leaveAfter: 300 };

/** Readings 50 ms apart: `x` inside, `.` outside, `?` unknown. The events, and the reading of each. */
function play(readings: string, options = holds): string[] {
  const presence = new Presence();
  return [...readings].flatMap((reading, i) => {
    const seen = reading === '?' ? undefined : reading === 'x';
    const pts = BigInt(i) * 50_000_000n;
    const event = presence.update(seen, pts, 1_000n + pts, options);
    return event ? [`${event} ${i}`] : [];
  });
}

describe('presence', () => {
  it.each([
    ['enters when it has lasted', '..xxxxx', ['enter 4']],
    ['does not enter for a moment', '..xx..xx..', []],
    ['leaves when it has lasted', 'xxx.......', ['enter 2', 'leave 9']],
    ['does not leave for a moment', 'xxx.....x.....x', ['enter 2']],
    ['keeps its state while nothing is known', 'xxx????????????', ['enter 2']],
    ['counts no time in which nothing is known', '.x?x?xx', []],
    ['goes on after it', '.x?xxx', ['enter 5']],
  ])('%s', (_, readings, events) => {
    expect(play(readings)).toEqual(events);
  });

  it('changes at once without hold times', () => {
    expect(play('.x.x', { enterAfter: 0, leaveAfter: 0 })).toEqual([
      'enter 1',
      'leave 2',
      'enter 3',
    ]);
  });

  it('says since when: from the first reading, then from the frame that changed it', () => {
    const presence = new Presence();
    const times: (bigint | undefined)[] = [presence.since];
    for (const [i, seen] of [undefined, false, true, true].entries()) {
      presence.update(seen, BigInt(i), BigInt(10 + i), { enterAfter: 0, leaveAfter: 0 });
      times.push(presence.since);
    }
    expect(times).toEqual([undefined, undefined, 11n, 12n, 12n]);
  });
});
