import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom, type Observable, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { newestFrame } from '../../src/gstreamer/capture/intake.ts';
import { capture } from '../../src/gstreamer/capture/source.ts';
import { streamFd } from '../../src/gstreamer/child-process.ts';
import { gstreamer } from '../../src/sources/gstreamer.ts';
import { crc16, gdpHeaderLength, gdpType, parseGdpHeader } from '../../src/stream/gdp.ts';
import { workplace } from '../support/cli.ts';
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
const sink = `fdsink fd=${streamFd} sync=false`;

function damaged(probability: number, limit: number): Observable<Frame> {
  context = testContext();
  const damage = `breakmydata set-to=0 probability=${probability}`;
  return capture(
    'camera',
    {
      what: 'a damaged stream',
      launchLine: () =>
        `${black},framerate=200/1 ! queue leaky=downstream max-size-buffers=1 ! gdppay ! ${damage} ! ${sink}`,
      intake: newestFrame,
      restart: {
        limit,
        'max-delay': 1,
        'healthy-after': 3_600_000,
        'stalled-after': 500,
        'first-frame-within': 20_000,
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
  });
});

/** A GDP file of pictures with these PTS, nanoseconds; undefined for none. */
function gdpFile(all: readonly (bigint | undefined)[]): string {
  const path = join(workplace(), 'frames.gdp');
  const line = `videotestsrc num-buffers=${all.length} ! video/x-raw,format=RGB,width=16,height=8,framerate=25/1 ! gdppay ! filesink location=${path}`;
  execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 60_000 });
  const bytes = readFileSync(path);
  let picture = 0;
  for (let at = 0; at < bytes.length; at += gdpHeaderLength + parseGdpHeader(bytes, at).length) {
    if (bytes.readUInt16BE(at + 4) !== gdpType.buffer) continue;
    bytes.writeBigUInt64BE(all[picture++] ?? 2n ** 64n - 1n, at + 10);
    bytes.writeUInt16BE(crc16(bytes, at, at + 58), at + 58);
  }
  expect(picture).toBe(all.length);
  writeFileSync(path, bytes);
  return path;
}

const ms = (n: number) => BigInt(n) * 1_000_000n;

describe('a GDP stream whose time stamps', () => {
  it.each([
    ['go back', [0, 40, 80, 0, 40, 80, 120].map(ms)],
    ['go back again and again', [200, 160, 120, 80, 40, 0].map(ms)],
    ['stand still', [40, 40, 40, 40].map(ms)],
    ['are missing', [undefined, undefined, undefined]],
    ['are missing now and then', [ms(0), undefined, ms(80), undefined, undefined, ms(200)]],
    ['are missing, then go back', [ms(400), undefined, ms(0), undefined, ms(40)]],
    ['leap far ahead', [ms(0), 2n ** 62n, 2n ** 63n - 2n, ms(40)]],
  ])('%s gives every frame, each later than the one before', async (_, all) => {
    context = testContext();
    const launch = `filesrc location=${gdpFile(all)} ! gdpdepay`;
    const options = gstreamer.options.parse({ launch, live: false });
    const frames = await lastValueFrom((await gstreamer.create(options, context)).pipe(toArray()));
    expect(frames.map(({ seq }) => seq)).toEqual(all.map((_, seq) => seq));
    const pts = frames.map((frame) => frame.pts);
    for (const [i, time] of pts.entries()) {
      expect(time).toBeGreaterThan(i === 0 ? -1n : (pts[i - 1] as bigint));
    }
    expect([...context.drops]).toEqual([]);
    expect(context.counts.restarts).toEqual([]);
  });
});
