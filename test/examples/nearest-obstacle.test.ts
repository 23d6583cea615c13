import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import type { DataFrame } from '../../src/core/frame.ts';
import { conformsAsOperator, depthFrame, runOperator } from '../../src/testing.ts';

const path = join(packageDirectory(), 'examples', 'nearest-obstacle.js');
const { nearestObstacle } = await import(path);

conformsAsOperator(nearestObstacle, {}, { describe, test });

test('reports the nearest valid depth of each zone', async () => {
  const bad = [0, Number.NaN, -1, Number.POSITIVE_INFINITY];
  // 0.5 m on the left, 2 m in the middle, nothing valid on the right.
  const frame = depthFrame(12, 8, 0, (x, y) => (x < 4 ? 0.5 : x < 8 ? 2 : (bad[y % 4] as number)));
  const [out] = await runOperator(nearestObstacle, { warn: 0.8 }, [frame]);
  expect((out as DataFrame).value).toEqual({
    left: 0.5,
    middle: 2,
    right: null,
    tooClose: ['left'],
  });
});
