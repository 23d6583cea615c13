import { firstValueFrom, from, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { DataFrame, DepthFrame, Frame } from '../../src/core/frame.ts';
import { zones } from '../../src/operators/zones.ts';
import { makeCamera, viewIntrinsics } from '../../src/synthetic/camera.ts';
import { Random } from '../../src/synthetic/random.ts';
import { renderFrame } from '../../src/synthetic/renderer.ts';
import { emptyRoom, material } from '../../src/synthetic/scene.ts';
import { Piece } from '../../src/synthetic/solids.ts';
import { runOperator } from '../../src/testing/operator-conformance.ts';
import type { ZonesValue } from '../../src/zones/zones-value.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';

const at = (frame: DepthFrame, ms: number): DepthFrame => ({
  ...frame,
  pts: BigInt(ms) * 1_000_000n,
  capturedAt: 1_790_000_000_000_000_000n + BigInt(ms) * 1_000_000n,
});
const now = { 'enter-after': '0ms', 'leave-after': '0ms', 'min-pixels': 1 };

/** Corners in tenths: `09` is [0, 0.9]. */
function polygon(corners: string): [number, number][] {
  return corners.split(' ').map(([x, y]) => [Number(x) / 10, Number(y) / 10] as [number, number]);
}

async function values(options: object, frames: readonly Frame[]): Promise<ZonesValue[]> {
  const results = await runOperator(zones, options, frames);
  return results.map((frame) => (frame as DataFrame).value as ZonesValue);
}

async function distance(zone: object, frame: DepthFrame, more: object = {}) {
  const [value] = await values({ ...now, zones: { a: zone }, ...more }, [frame]);
  return value?.zones.a?.distance;
}

/** 8×6; the depth of a pixel names it: column + row / 10. */
const named = depthFrame(8, 6, 0, (x, y) => 1 + x + y / 10);

describe('the distance of a zone', () => {
  it('is that of the nearest part in its box', async () => {
    const options = { nearest: 0 };
    expect(await distance({ box: [0.5, 0.5, 1, 1], within: 1 }, named, options)).toBe(5.3);
    expect(await distance({ box: [0, 0, 1, 1], within: 1 }, named, options)).toBe(1);
  });

  it('is that in its polygon, whichever way its corners turn', async () => {
    const corners = [
      [1, 0],
      [1, 1],
      [0.5, 1],
    ];
    for (const polygon of [corners, corners.toReversed()]) {
      expect(await distance({ polygon, within: 1 }, named, { nearest: 0 })).toBe(5.5);
    }
  });

  it('leaves single near pixels out', async () => {
    const frame = depthFrame(40, 40, 0, (x, y) => (x === 5 && y < 4 ? 0.1 : 2));
    const zone = { box: [0, 0, 1, 1], within: 1 };
    expect(await distance(zone, frame)).toBe(2);
    expect(await distance(zone, frame, { nearest: 0 })).toBe(0.1);
  });

  it('ignores what is not valid, and is null where too little is', async () => {
    const holes = [0, -1, Number.NaN, Number.POSITIVE_INFINITY];
    const frame = depthFrame(8, 6, 0, (x) => holes[x % 4] as number);
    const zone = { box: [0, 0, 1, 1], within: 1 };
    expect(await distance(zone, frame)).toBeNull();
    const few = depthFrame(8, 6, 0, (x, y) => (x === 0 && y < 3 ? 0.3 : 0));
    expect(await distance(zone, few, { 'min-pixels': 4 })).toBeNull();
    expect(await distance(zone, few, { 'min-pixels': 3 })).toBe(0.3);
  });

  it('is of the part of the source that a crop or a mirrored frame shows', async () => {
    const zone = { box: [0.5, 0, 0.75, 1], within: 1 };
    const source = { width: 16, height: 6 };
    const right = { ...named, view: { left: 8, top: 0, width: 8, height: 6, source } };
    expect(await distance(zone, right, { nearest: 0 })).toBe(1);
    const flipped = { ...right, view: { ...right.view, flip: 'horizontal' as const } };
    expect(await distance(zone, flipped, { nearest: 0 })).toBe(5);
    const left = { ...named, view: { ...right.view, left: 0 } };
    expect(await distance(zone, left)).toBeNull();
  });

  it('is that of the points in a box in space', async () => {
    const frame = { ...named, intrinsics: { fx: 4, fy: 4, cx: 3.5, cy: 2.5 } };
    const space = { x: [0, 1], y: [-10, 10], z: [0, 10] };
    // Column 4 is the only one between 0 and 1 m to the right.
    expect(await distance({ space }, frame, { nearest: 0 })).toBe(5);
    const options = { ...now, zones: { a: { space: { ...space, z: [7, 9] } } } };
    const [value] = await values(options, [frame]);
    expect(value?.zones.a).toMatchObject({ inside: false, distance: null });
  });
});

describe('zones', () => {
  const zone = { a: { box: [0, 0, 1, 1], within: 0.5 } };
  const plain = (metres: number, ms: number) =>
    at(
      depthFrame(8, 6, ms, () => metres),
      ms,
    );

  it('are left only beyond the hysteresis', async () => {
    const depths = [0.6, 0.49, 0.54, 0.51, 0.56, 0.51];
    const frames = depths.map((metres, i) => plain(metres, i));
    const seen = await values({ ...now, zones: zone }, frames);
    expect(seen.map(({ zones }) => zones.a?.inside)).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(seen.flatMap(({ events }) => events)).toEqual([
      { zone: 'a', event: 'enter', distance: 0.49 },
      { zone: 'a', event: 'leave', distance: 0.56 },
    ]);
    expect(seen[3]?.zones.a?.since).toBe('2026-09-21T14:13:20.001Z');
  });

  it('emits the first state and changes only, if that is asked for', async () => {
    const frames = [0.6, 0.6, 0.4, 0.4, 0.6].map((metres, i) => plain(metres, i));
    const seen = await values({ ...now, zones: zone, emit: 'changes' }, frames);
    expect(seen.map(({ events }) => events.map(({ event }) => event))).toEqual([
      [],
      ['enter'],
      ['leave'],
    ]);
  });

  it('need intrinsics for a box in space', async () => {
    const options = { zones: { a: { space: { x: [-1, 1], y: [-1, 1], z: [0, 1] } } } };
    await expect(values(options, [named])).rejects.toThrow(/needs camera intrinsics/);
    const arriving = { kinds: ['depth'], intrinsics: false } as const;
    const context = { baseDirectory: '.', arriving, thorough: false };
    const [problem] = (await zones.check?.(zones.options.parse(options), context)) ?? [];
    expect(problem?.path).toEqual(['zones', 'a', 'space']);
  });

  it.each([
    [{ a: {} }, /exactly one of box, polygon and space/],
    [{ a: { box: [0, 0, 1, 1] } }, /needs within/],
    [{ a: { box: [0.5, 0, 0.5, 1], within: 1 } }, /left below right/],
    [{ a: { space: { x: [0, 1], y: [0, 1], z: [0, 1] }, within: 1 } }, /takes no within/],
    [{ 'a/b': { box: [0, 0, 1, 1], within: 1 } }, /not one of a zone: use letters/],
    [{ a: { polygon: polygon('00 11 10 01'), within: 1 } }, /sides that cross/],
    [{ a: { polygon: polygon('00 55 99'), within: 1 } }, /encloses nothing/],
    [{ a: { polygon: polygon('00 90 00 90'), within: 1 } }, /encloses nothing/],
    [{}, /at least one zone/],
  ])('refuse %j', (given, message) => {
    const { error } = zones.options.safeParse({ zones: given });
    expect(error?.message).toMatch(message);
  });
});

it('a corner that is touched is no crossing', () => {
  const touching = polygon('00 90 55 99 09 45');
  const given = { zones: { a: { polygon: touching, within: 1 } } };
  expect(zones.options.safeParse(given).success).toBe(true);
});

it('a zone of which the frames show too little is named once', async () => {
  const context = testContext();
  const options = zones.options.parse({
    zones: {
      thin: { box: [0.5, 0.5, 0.501, 0.501], within: 1 },
      good: { box: [0, 0, 1, 1], within: 1 },
    },
  });
  const operator = await zones.create(options, context);
  const frames = [0, 1].map((seq) => depthFrame(8, 6, seq));
  await firstValueFrom(from(frames).pipe(operator, toArray()));
  const messages = context.logs.map(({ message }) => message);
  expect(messages).toEqual([
    expect.stringMatching(/^zone thin has 0 pixels of the 8×6 frame.*min-pixels \(20\)/),
  ]);
});

describe('a rendered obstacle that crosses half a metre', () => {
  const size = { width: 96, height: 72 };
  const grey = material('plain', [[0.5, 0.5, 0.5]]);
  const room = emptyRoom(
    [4, 2.5, 6],
    Array.from({ length: 6 }, () => [0.7, 0.7, 0.7] as const),
  );
  const intrinsics = viewIntrinsics(70, 4 / 3, size);
  const camera = makeCamera({ position: [2, 1.2, 0.5], yaw: 0, pitch: 0, roll: 0 }, intrinsics);

  /** A post that comes to 0.4 m and goes away again, at 30 fps, with 2 % noise and 1 % wrong pixels. */
  function frames(): DepthFrame[] {
    const random = new Random(7);
    return Array.from({ length: 120 }, (_, i) => {
      const away = 0.4 + 1.2 * Math.abs(1 - i / 60);
      const scene = { ...room, faces: [...room.faces] };
      new Piece(0.3, 0.2).box(-0.15, 0, 0, 0.15, 2, 0.2, grey).place(scene, [2, 0, 0.5 + away], 0);
      const { depth } = renderFrame(scene, camera, size);
      const data = depth.map((metres) =>
        random.chance(0.01) ? random.range(0.05, 8) : metres * (1 + random.range(-0.035, 0.035)),
      );
      return at(
        { ...depthFrame(size.width, size.height, i), data, intrinsics },
        Math.round(i * 33.333),
      );
    });
  }

  it.each([
    ['a box', { box: [0.3, 0.2, 0.7, 0.8], within: 0.5 }],
    ['a box in space', { space: { x: [-0.3, 0.3], y: [-0.5, 0.5], z: [0.2, 0.5] } }],
  ])('enters %s once and leaves it once', async (_, zone) => {
    const options = { zones: { post: zone }, 'min-pixels': 100, hysteresis: 0.08 };
    const seen = await values(options, frames());
    const events = seen.flatMap(({ events }, i) => events.map(({ event }) => ({ event, i })));
    expect(events.map(({ event }) => event)).toEqual(['enter', 'leave']);
    // It is at 0.5 m in frames 55 and 65.
    const [enter, leave] = events.map(({ i }) => i) as [number, number];
    expect(enter).toBeGreaterThanOrEqual(52);
    expect(enter).toBeLessThan(62);
    expect(leave).toBeGreaterThan(65);
    expect(leave).toBeLessThan(90);
  });
});
