import { describe, expect, it } from 'vitest';
import { maskEdges } from '../../src/depth/edge-mask.ts';
import { type FillMethod, HoleFiller } from '../../src/depth/fill-holes.ts';
import { filterSpatially } from '../../src/depth/spatial-filter.ts';
import { depthFrame } from '../support/frames.ts';

/** Rows of metres as a map. */
function mapOf(rows: readonly (readonly number[])[]) {
  const width = rows[0]?.length ?? 0;
  return { width, height: rows.length, data: Float32Array.from(rows.flat()) };
}

/** The same noise in every run, -1 to 1. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 31 - 1;
  };
}

const spatial = { alpha: 0.5, delta: 0.04, iterations: 2 };

describe('the spatial filter', () => {
  it('is the recursion: y[i] = y[i−1] + α (x[i] − y[i−1]), forwards and back', () => {
    const row = [1, 1.02, 1];
    const there = [1, 1.01, 1.005];
    const back = [0, 0, there[2] as number];
    for (let i = 1; i >= 0; i--)
      back[i] = (back[i + 1] as number) + 0.5 * ((there[i] as number) - (back[i + 1] as number));
    const options = { ...spatial, iterations: 1 };
    const along = filterSpatially(mapOf([row]), options);
    const down = filterSpatially(mapOf(row.map((metres) => [metres])), options);
    for (const i of [0, 1, 2]) expect(along[i]).toBeCloseTo(back[i] as number, 6);
    expect(down).toEqual(along);
  });

  it('takes noise away within surfaces, and leaves the step between them', () => {
    const random = noise(1);
    const near = (x: number) => (x < 20 ? 2 : 3);
    const map = depthFrame(40, 40, 0, (x) => near(x) * (1 + 0.01 * random()));
    const out = filterSpatially(map, spatial);
    const rms = (data: Float32Array) =>
      Math.sqrt(
        data.reduce((sum, metres, i) => sum + (metres - near(i % 40)) ** 2, 0) / data.length,
      );
    expect(rms(out)).toBeLessThan(0.5 * rms(map.data));
    for (let i = 19; i < out.length; i += 40) {
      expect(out[i]).toBeLessThan(2.03);
      expect(out[i + 1]).toBeGreaterThan(2.96);
    }
  });

  it('keeps the mean of a slope', () => {
    const map = depthFrame(50, 3, 0, (x) => 2 + x / 100);
    const out = filterSpatially(map, spatial);
    for (let x = 8; x < 42; x++) expect(out[50 + x]).toBeCloseTo(2 + x / 100, 3);
  });

  it.each([0, Number.NaN, -1, Number.POSITIVE_INFINITY])(
    'nothing flows into or across %d',
    (bad) => {
      const map = mapOf([[2, 2, bad, 2.02, 2.02]]);
      const out = filterSpatially(map, { ...spatial, delta: 1 });
      expect([...out]).toEqual([...mapOf([[2, 2, 0, 2.02, 2.02]]).data]);
    },
  );

  it('alpha 1 changes nothing', () => {
    const { data, ...size } = depthFrame(5, 4, 0, (x, y) => 1 + x * y);
    expect(filterSpatially({ ...size, data }, { ...spatial, alpha: 1 })).toEqual(data);
  });
});

describe('holes', () => {
  const fill = (
    rows: readonly (readonly number[])[],
    maxArea = 100,
    method: FillMethod = 'smooth',
  ) => [...new HoleFiller(maxArea, method).fill(mapOf(rows))];

  it('are filled from around', () => {
    const hole = [
      [2, 2, 4],
      [2, 0, 4],
      [2, 2, 4],
    ];
    expect(fill(hole)[4]).toBeCloseTo((5 * 2 + 3 * 4) / 8);
    expect(fill(hole, 100, 'far')[4]).toBe(4);
    expect(fill(hole, 100, 'near')[4]).toBe(2);
  });

  it('that are larger than the limit are left', () => {
    const rows = [[1, 0, 1, 0, 0, 1, Number.NaN, -1, 0, 1]];
    expect(fill(rows, 2)).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 1]);
    expect(fill(rows, 3)).toEqual(rows[0]?.map(() => 1));
  });

  it('touch at their sides, not at their corners', () => {
    const rows = [
      [0, 1],
      [1, 0],
    ];
    expect(fill(rows, 1)).toEqual([1, 1, 1, 1]);
  });

  it('of many layers are filled to the middle, between the depths around', () => {
    const map = depthFrame(30, 30, 0, (x, y) =>
      x > 5 && x < 24 && y > 5 && y < 24 ? 0 : 2 + x / 30,
    );
    const out = new HoleFiller(400, 'smooth').fill(map);
    for (let i = 0; i < out.length; i++) {
      expect(out[i]).toBeGreaterThanOrEqual(2);
      expect(out[i]).toBeLessThanOrEqual(3);
    }
    // It follows the slope: the right side is deeper than the left one.
    expect(out[15 * 30 + 20]).toBeGreaterThan((out[15 * 30 + 9] as number) + 0.2);
  });

  it('are found anew in every frame, of any size', () => {
    const filler = new HoleFiller(4, 'far');
    for (const [width, height] of [
      [5, 4],
      [5, 4],
      [3, 7],
      [20, 1],
    ] as const) {
      const map = depthFrame(width, height, 0, (x, y) => (x === 1 && y === 0 ? 0 : 2));
      expect(filler.fill(map)).toEqual(new Float32Array(width * height).fill(2));
    }
  });

  it('a frame without depth stays so', () => {
    expect(
      fill([
        [0, 0],
        [0, Number.NaN],
      ]),
    ).toEqual([0, 0, 0, 0]);
  });
});

describe('the mask of edges', () => {
  it('takes both sides of a jump, in rows and columns', () => {
    const jump = [2, 2, 2, 3, 3, 3];
    const masked = [2, 2, 0, 0, 3, 3];
    expect([...maskEdges(mapOf([jump]), 0.05)]).toEqual(masked);
    expect([...maskEdges(mapOf(jump.map((metres) => [metres])), 0.05)]).toEqual(masked);
  });

  it('takes all of a blurred jump, and keeps a slope', () => {
    const rows = [[2, 2, 2.3, 2.75, 3.1, 3.1]];
    expect([...maskEdges(mapOf(rows), 0.05)].map(Boolean)).toEqual([
      ...[true, false, false, false, false, true],
    ]);
    const floor = depthFrame(4, 20, 0, (_, y) => 2 * 1.02 ** y);
    expect(maskEdges(floor, 0.05)).toEqual(floor.data);
  });

  it('is relative to the depth: twice as far, twice the jump', () => {
    const at = (metres: number) => [...maskEdges(mapOf([[metres, metres * 1.06]]), 0.05)];
    expect(at(1)[0]).toBe(0);
    expect(at(8)[0]).toBe(0);
    expect([...maskEdges(mapOf([[8, 8.06]]), 0.05)][0]).toBe(8);
  });

  it('keeps pixels beside invalid ones, which stay invalid', () => {
    const rows = [[2, Number.NaN, 2, 0, 3]];
    expect([...maskEdges(mapOf(rows), 0.05)]).toEqual([2, 0, 2, 0, 3]);
  });
});
