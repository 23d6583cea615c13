import { lastValueFrom, take, toArray } from 'rxjs';
import { afterEach, expect, test } from 'vitest';
import {
  type Frame,
  frameProblem,
  type ImageFrame,
  type StereoFrame,
} from '../../src/core/frame.ts';
import { Gate } from '../../src/core/gate.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { syntheticRoom } from '../../src/sources/synthetic-room.ts';
import { type TestContext, testContext } from '../support/context.ts';
import { until } from '../support/gstreamer.ts';

const small = { width: 32, height: 24 };
let context: TestContext;

async function open(options: object, overrides: Parameters<typeof testContext>[0] = {}) {
  context = testContext(overrides);
  return syntheticRoom.create(syntheticRoom.options.parse(options), context);
}

afterEach(() => context.close());

test('gives frames with truth, intrinsics and rising pts, then completes', async () => {
  const source = await open({ ...small, frames: 4, fps: 10 });
  const frames = (await lastValueFrom(source.pipe(toArray<Frame>()))) as ImageFrame[];
  expect(frames.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
  expect(frames.map(({ pts }) => pts)).toEqual([0n, 100_000_000n, 200_000_000n, 300_000_000n]);
  for (const frame of frames) {
    expect(frameProblem(frame)).toBeUndefined();
    expect(frame.truth).toMatchObject(small);
    expect(frame.truth?.data).toHaveLength(32 * 24);
    expect(frame.truth?.data.every((z) => z > 0.05 && z < 12)).toBe(true);
    expect(frame.intrinsics?.fx).toBeCloseTo(16 / Math.tan((65 * Math.PI) / 360), 6);
    expect(frame.intrinsics?.cx).toBe(15.5);
  }
});

test('renders a 4:3 view into a square picture', async () => {
  const source = await open({ width: 32, height: 32, aspect: '4:3', frames: 1 });
  const frame = await lastValueFrom(source);
  const { fx, fy } = frame.intrinsics as { fx: number; fy: number };
  expect(fy / fx).toBeCloseTo(4 / 3, 9);
});

test('the same seed gives the same frames, another seed others', async () => {
  const bytes = async (seed: number) => {
    const source = await open({ ...small, frames: 2, seed });
    const frame = (await lastValueFrom(source)) as ImageFrame;
    await context.close();
    return frame.data;
  };
  const first = await bytes(3);
  expect(await bytes(3)).toEqual(first);
  expect(await bytes(4)).not.toEqual(first);
});

test('waits at the gate', async () => {
  const gate = new Gate();
  gate.hold('test');
  const source = await open({ ...small, frames: 3 }, { gate });
  const seen: number[] = [];
  const done = new Promise<void>((resolve) => {
    source.subscribe({
      next: ({ seq }) => {
        seen.push(seq);
        gate.hold('test');
      },
      complete: resolve,
    });
  });
  for (const n of [1, 2, 3]) {
    expect(seen).toHaveLength(n - 1);
    gate.release('test');
    await until(() => seen.length === n);
  }
  await done;
});

test('in real time the clock paces it', async () => {
  const clock = new VirtualClock();
  const source = await open({ ...small, frames: 3, fps: 10, realtime: true }, { clock });
  const times: number[] = [];
  const done = new Promise<void>((resolve) => {
    source.subscribe({ next: () => times.push(clock.now()), complete: resolve });
  });
  for (let ms = 0; times.length < 3; ms += 10) {
    await clock.advance(10);
    // Lets the render thread answer, however long that takes in real time.
    if (times.length < Math.min(3, Math.floor(ms / 100) + 1))
      await until(() => times.length > Math.floor(ms / 100) || clock.now() < ms + 100);
  }
  await done;
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(100);
  expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(90);
});

test('unsubscribing and aborting stop it', async () => {
  const source = await open({ ...small });
  await lastValueFrom(source.pipe(take(2)));
  const done = lastValueFrom(source.pipe(toArray<Frame>()));
  context.abort();
  await done;
});

test('every example is valid', () => {
  for (const example of syntheticRoom.examples) syntheticRoom.options.parse(example);
  expect(syntheticRoom.options.safeParse({ aspect: '4x3' }).success).toBe(false);
});

test('with stereo it emits rectified pairs with baseline and the truth of the left eye', async () => {
  const source = await open({ ...small, frames: 1, stereo: { baseline: 0.12 } });
  const frame = (await lastValueFrom(source)) as StereoFrame;
  expect(frameProblem(frame)).toBeUndefined();
  expect(frame).toMatchObject({ kind: 'stereo', ...small, baseline: 0.12, rectified: true });
  expect(frame.truth).toMatchObject(small);
  expect(frame.left.data).not.toEqual(frame.right.data);
});
