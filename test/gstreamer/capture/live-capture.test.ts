import { lastValueFrom } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../src/runtime/virtual-clock.ts';
import { gstreamer } from '../../../src/sources/gstreamer.ts';
import { type TestContext, testContext } from '../../support/context.ts';
import { captureHosts, until } from '../../support/gstreamer.ts';

/** Records the pauses before restarts, which are shorter than the wait for a first frame. */
class RecordingClock extends VirtualClock {
  readonly pauses: number[] = [];

  override after(ms: number, callback: () => void): () => void {
    if (ms < 3_600_000) this.pauses.push(ms);
    return super.after(ms, callback);
  }
}

let context: TestContext;
afterEach(async () => {
  context.abort();
  await context.close();
  expect(captureHosts()).toEqual([]);
});

/** A source that is never there: each attempt is a real process, the pauses are virtual. */
async function absent(given: Record<string, unknown>) {
  const restart = { 'first-frame-within': '1h', ...given };
  const clock = new RecordingClock();
  context = testContext({ clock });
  const launch = 'filesrc location=/nonexistent/camera ! decodebin';
  const options = gstreamer.options.parse({ launch, 'wait-for-source': true, restart });
  const frames = lastValueFrom(await gstreamer.create(options, context));
  frames.catch(() => {});
  const attempts = async (n: number) => {
    for (let i = 0; i < n; i++) {
      const before = clock.pauses.length;
      await until(() => clock.pauses.length > before);
      await clock.advance(clock.pauses.at(-1) as number);
    }
  };
  return { clock, frames, attempts };
}

const warnings = () => context.logs.filter(({ level }) => level === 'warn');

describe('a live source that stays away', () => {
  test('is tried again with pauses that reach 5 s, without end, and warned about once', async () => {
    const { clock, frames, attempts } = await absent({});
    await attempts(11);
    const [first, ...pauses] = clock.pauses;
    expect(first).toBe(0);
    const longest = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000];
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(longest[i] as number);
      expect(pause).toBeGreaterThanOrEqual(0.8 * (longest[i] as number));
    }
    expect(context.away).toEqual([1_700_000_000_000_000_000n]);
    expect(warnings()).toHaveLength(1);
    context.abort();
    await expect(frames).rejects.toThrow(/no elements in sequence/);
  });

  test('is warned about again after a minute', async () => {
    const { clock, attempts } = await absent({ 'max-delay': '20s' });
    await attempts(13);
    expect(clock.now()).toBeGreaterThan(60_000);
    expect(clock.now()).toBeLessThan(120_000);
    expect(warnings()).toHaveLength(2);
  });

  test('fails after restart.give-up-after, to the millisecond', async () => {
    const { clock, frames, attempts } = await absent({ 'give-up-after': '4s' });
    await attempts(7);
    await expect(frames).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/\/nonexistent\/camera.*\(after 7 restarts\)/),
    });
    expect(clock.now()).toBe(4000);
  });
});

describe('a live source that is not asked for frames', () => {
  test('does not count that time towards restart.give-up-after', async () => {
    const clock = new VirtualClock();
    context = testContext({ clock });
    const { gate } = context;
    const launch = 'videotestsrc is-live=true ! video/x-raw,width=32,height=24,framerate=30/1';
    const options = gstreamer.options.parse({ launch, restart: { 'give-up-after': '4s' } });
    let frames = 0;
    const errors: unknown[] = [];
    (await gstreamer.create(options, context)).subscribe({
      next: () => {
        frames++;
        gate.hold('a pause');
      },
      error: (error: unknown) => errors.push(error),
    });
    await until(() => frames === 1);
    await clock.advance(3_600_000);
    for (const pid of captureHosts()) process.kill(pid, 'SIGKILL');
    await until(() => context.counts.restarts.length > 0 || errors.length > 0);
    expect(errors).toEqual([]);
    await clock.advance(1000);
    gate.release('a pause');
    await until(() => frames === 2);
    expect(context.away.at(-1)).toBeUndefined();
  });
});
