import { lastValueFrom, type Observable, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { newestFrame } from '../../src/gstreamer/capture/intake.ts';
import { capture } from '../../src/gstreamer/capture/source.ts';
import { sinkName } from '../../src/gstreamer/launch-line.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { captureHosts } from '../support/gstreamer.ts';

let context: TestContext;
afterEach(async () => {
  await context.close();
  expect(captureHosts()).toEqual([]);
});

/** More in the long form: FAULT_ROUNDS=1000 npx vitest run test/faults */
const frames = 2 * Number(process.env.FAULT_ROUNDS ?? 100);
/** Black, so that bytes set to 0 do harm in the headers and none that could be missed in pictures. */
const black = 'videotestsrc pattern=black is-live=true ! video/x-raw,format=RGB,width=4,height=2';
const appsink = `appsink name=${sinkName} max-buffers=1 drop=true sync=false`;

function damaged(probability: number, limit: number): Observable<Frame> {
  context = testContext();
  const damage = `breakmydata set-to=0 probability=${probability}`;
  return capture(
    'camera',
    {
      what: 'a damaged stream',
      launchLine: () => `${black},framerate=200/1 ! gdppay ! ${damage} ! ${appsink}`,
      intake: newestFrame,
      restart: {
        limit,
        'max-delay': 1,
        'healthy-after': 3_600_000,
        'stalled-after': 500,
        'first-frame-within': 2000,
      },
    },
    context,
  );
}

describe('a GDP stream whose headers are damaged in passing', () => {
  it('is begun anew each time, and never gives a broken picture', async () => {
    const all = await lastValueFrom(damaged(0.0008, 10_000).pipe(take(frames), toArray()));
    for (const { width, height, data } of all as ImageFrame[]) {
      expect([width, height, data.length]).toEqual([4, 2, 24]);
      expect(data.every((byte) => byte === 0)).toBe(true);
    }
    const rising = all.map(({ pts }) => pts);
    expect(rising).toEqual(rising.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(frames);
    expect(context.counts.restarts.length).toBeGreaterThan(2);
    for (const why of context.counts.restarts) expect(why).toMatch(/damaged data|stalled/);
  }, 120_000);

  it('that is never whole ends with what is wrong', async () => {
    await expect(lastValueFrom(damaged(1, 3))).rejects.toMatchObject({ code: 'SOURCE' });
  }, 60_000);
});
