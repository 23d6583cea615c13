import { expect, test } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { flickerBetween } from '../../src/depth/flicker.ts';
import { smooth } from '../../src/operators/smooth.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import { depthFrame } from '../support/frames.ts';

/** Runs one pixel through time. */
async function series(options: object, values: readonly number[]): Promise<number[]> {
  const frames = values.map((metres, seq) => depthFrame(1, 1, seq, () => metres));
  const out = (await runOperator(smooth, options, frames)) as DepthFrame[];
  return out.map(({ data }) => Math.round((data[0] as number) * 1000) / 1000);
}

/** Repeatable noise from -1 to 1. */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

const open = { 'scene-cut': 1000 };

test('ema is the exponential average', async () => {
  const out = await series({ ...open, method: 'ema', alpha: 0.5 }, [2, 4, 4, 4]);
  expect(out).toEqual([2, 3, 3.5, 3.75]);
});

test('median takes the middle of the window, also while it fills', async () => {
  const out = await series({ ...open, method: 'median', window: 3 }, [2, 8, 2, 2, 3, 3]);
  expect(out).toEqual([2, 5, 2, 2, 2, 3]);
});

test('median removes single outliers', async () => {
  const out = await series({ ...open, method: 'median', window: 5 }, [2, 2, 2, 9, 2, 2, 0.1, 2]);
  expect(out).toEqual(Array(8).fill(2));
});

test('motion averages small changes and follows large ones at once', async () => {
  const options = { ...open, method: 'motion', alpha: 0.2, 'motion-threshold': 0.1 };
  // Gain for a change of 1 %: 0.2 + 0.8 · 0.1 = 0.28; for 10 % and more: 1.
  expect(await series(options, [2, 2.02, 4])).toEqual([2, 2.006, 4]);
});

test.each(['ema', 'median', 'motion'])(
  '%s: an invalid pixel is held, then invalid',
  async (method) => {
    const gaps = [2, 0, Number.NaN, Number.POSITIVE_INFINITY, 0, 3, 3, 3];
    const out = await series({ ...open, method, hold: 2, alpha: 1, window: 3 }, gaps);
    expect(out.slice(0, 5)).toEqual([2, 2, 2, 0, 0]);
    expect(out.at(-1)).toBe(3);
    expect(out.every(Number.isFinite)).toBe(true);
  },
);

test('without hold an invalid pixel becomes invalid at once', async () => {
  expect(await series({ ...open, method: 'ema', hold: 0 }, [2, 0, 3])).toEqual([2, 0, 3]);
});

test.each(['ema', 'median', 'motion'])('%s discards its history on a scene cut', async (method) => {
  const out = await series({ method, alpha: 0.1, 'motion-threshold': 5 }, [2, 2, 2, 6, 6]);
  expect(out).toEqual([2, 2, 2, 6, 6]);
});

test.each(['ema', 'median', 'motion'])(
  '%s: a first frame of infinite depth is invalid',
  async (method) => {
    const out = await series({ method }, [Number.POSITIVE_INFINITY, 2, 6]);
    expect(out).toEqual([0, 2, 6]);
  },
);

test('detects a cut from a sample of the rows', async () => {
  const scene = (seq: number, metres: number) => depthFrame(4, 224, seq, () => metres);
  const frames = [scene(0, 2), scene(1, 2), scene(2, 6)];
  const out = (await runOperator(smooth, { method: 'ema', alpha: 0.1 }, frames)) as DepthFrame[];
  expect(out[2]?.data).toEqual(frames[2]?.data);
});

test('discards its history when the size changes', async () => {
  const frames = [depthFrame(8, 6, 0, () => 2), depthFrame(6, 8, 1, () => 2.2)];
  const out = (await runOperator(smooth, { method: 'ema' }, frames)) as DepthFrame[];
  expect(out[1]?.data).toEqual(frames[1]?.data);
});

test.each(['ema', 'median', 'motion'])(
  '%s gives each frame an array of its own',
  async (method) => {
    const frames = Array.from({ length: 4 }, (_, seq) => depthFrame(4, 4, seq));
    const out = (await runOperator(smooth, { method }, frames)) as DepthFrame[];
    const buffers = [...frames, ...out].map((frame) => (frame as DepthFrame).data.buffer);
    expect(new Set(buffers).size).toBe(8);
  },
);

/** Mean flicker of a still scene with noise of ±2 %, the first frames left out. */
async function flicker(options: object | undefined): Promise<number> {
  const still = Array.from({ length: 40 }, (_, seq) =>
    depthFrame(24, 24, seq, (x, y) => (1 + x / 8) * (1 + 0.02 * noise(seq * 577 + y * 24 + x))),
  );
  const out = options ? ((await runOperator(smooth, options, still)) as DepthFrame[]) : still;
  const settled = out.slice(10);
  const changes = settled
    .slice(1)
    .map((now, i) => flickerBetween(settled[i]!, now, 0)?.relative as number);
  return changes.reduce((a, b) => a + b) / changes.length;
}

/** Mean error of a sharp edge that moves by one pixel a frame, from 1 m to 3 m. */
async function smear(options: object): Promise<number> {
  const moving = Array.from({ length: 20 }, (_, seq) =>
    depthFrame(32, 4, seq, (x) => (x < seq + 4 ? 1 : 3)),
  );
  const out = (await runOperator(smooth, options, moving)) as DepthFrame[];
  let sum = 0;
  for (const [seq, frame] of out.entries()) {
    frame.data.forEach((metres, i) => {
      sum += Math.abs(metres - (moving[seq]?.data[i] as number));
    });
  }
  return sum / (20 * 32 * 4);
}

test('every method cuts the flicker of a still scene at least by half', async () => {
  const raw = await flicker(undefined);
  expect(raw).toBeGreaterThan(0.01);
  expect(await flicker({ method: 'ema', alpha: 0.3 })).toBeLessThan(raw / 2);
  expect(await flicker({ method: 'median', window: 7 })).toBeLessThan(raw / 2);
  expect(await flicker({ method: 'motion', alpha: 0.2, 'motion-threshold': 0.2 })).toBeLessThan(
    raw / 2,
  );
});

test('a moving edge smears under ema and stays sharp under motion', async () => {
  const ema = await smear({ method: 'ema', alpha: 0.3 });
  const motion = await smear({ method: 'motion', alpha: 0.3 });
  expect(ema).toBeGreaterThan(0.1);
  expect(motion).toBeLessThan(0.001);
});

test('motion: the gain rises with the change, from alpha to 1 at the threshold', async () => {
  const options = { ...open, method: 'motion', alpha: 0.2, 'motion-threshold': 0.1 };
  // A change of 5 %: 0.2 + 0.8 · 0.5 = 0.6; of just below 10 %: almost 1; down as up.
  expect(await series(options, [2, 2.1])).toEqual([2, 2.06]);
  expect(await series(options, [2, 1.9])).toEqual([2, 1.94]);
  expect(await series(options, [2, 2.19])).toEqual([2, 2.182]);
  // A gain above 1 would overshoot.
  expect(await series(options, [2, 2.3, 2.3])).toEqual([2, 2.3, 2.3]);
});

test.each(['ema', 'median', 'motion'])(
  '%s: a pixel that was invalid takes its first depth at once',
  async (method) => {
    const options = { ...open, method, hold: 0, alpha: 0.1, window: 3, 'motion-threshold': 5 };
    expect(await series(options, [0, 3])).toEqual([0, 3]);
    expect(await series(options, [2, 0, 0, 3])).toEqual([2, 0, 0, 3]);
  },
);

/** Runs two pixels through time; each item is a frame. */
async function pairs(options: object, values: readonly [number, number][]) {
  const frames = values.map((pair, seq) => depthFrame(2, 1, seq, (x) => pair[x] as number));
  const out = (await runOperator(smooth, options, frames)) as DepthFrame[];
  return out.map(({ data }) => [...data]);
}

test('each pixel is held for as long as it is missing itself', async () => {
  const options = { ...open, method: 'ema', alpha: 1, hold: 2 };
  const out = await pairs(options, [
    [2, 5],
    [0, 5],
    [2, 0],
    [0, 0],
    [0, 0],
    [0, 5],
  ]);
  expect(out).toEqual([
    [2, 5],
    [2, 5],
    [2, 5],
    [2, 5],
    [2, 0],
    [0, 5],
  ]);
});

test('what was missing before a cut is not held after it', async () => {
  const options = { method: 'ema', alpha: 1, hold: 2, 'scene-cut': 0.5 };
  const out = await pairs(options, [
    [2, 2],
    [2, 0],
    [8, 8],
    [8, 0],
    [8, 0],
    [8, 0],
  ]);
  expect(out.map(([, second]) => second)).toEqual([2, 2, 8, 8, 8, 0]);
});

test('a cut is judged by pixels that are valid in both frames alone', async () => {
  const options = { method: 'ema', alpha: 0.5, hold: 0, 'scene-cut': 0.5 };
  // Half of the picture appears: no change where both are known.
  const appears = await pairs(options, [
    [2, 0],
    [2.4, 8],
  ]);
  expect(appears[1]?.[0]).toBeCloseTo(2.2, 5);
  const vanishes = await pairs(options, [
    [2, 8],
    [2.4, 0],
  ]);
  expect(vanishes[1]?.[0]).toBeCloseTo(2.2, 5);
  // Without any such pixel there is no cut.
  const [, other] = await pairs({ ...options, hold: 3 }, [
    [2, 0],
    [0, 8],
  ]);
  expect(other).toEqual([2, 8]);
});

test('a mean change of exactly the limit is no cut', async () => {
  expect(await series({ method: 'ema', alpha: 0.5, 'scene-cut': 0.5 }, [2, 3])).toEqual([2, 2.5]);
  expect(await series({ method: 'ema', alpha: 0.5, 'scene-cut': 0.5 }, [2, 3.01])).toEqual([
    2, 3.01,
  ]);
});

test('of a high picture every seventh row is compared, of a low one every row', async () => {
  const options = { method: 'ema', alpha: 0.5, 'scene-cut': 0.1 };
  const changed = async (height: number, rows: (y: number) => boolean) => {
    const still = depthFrame(2, height, 0, () => 2);
    const next = depthFrame(2, height, 1, (_, y) => (rows(y) ? 4 : 2));
    const out = (await runOperator(smooth, options, [still, next])) as DepthFrame[];
    // A cut takes the new depth as it is; otherwise the average is 3.
    return out[1]?.data.includes(4) ?? false;
  };
  expect(await changed(224, (y) => y % 7 === 0)).toBe(true);
  expect(await changed(224, (y) => y % 7 !== 0)).toBe(false);
  expect(await changed(24, (y) => y % 5 === 1)).toBe(true);
});

test('discards its history when the number of rows changes', async () => {
  const frames = [depthFrame(4, 2, 0, () => 2), depthFrame(4, 3, 1, () => 2.2)];
  const out = (await runOperator(smooth, { method: 'ema' }, frames)) as DepthFrame[];
  expect(out[1]?.data).toEqual(frames[1]?.data);
});
