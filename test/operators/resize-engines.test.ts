import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Frame, ImageFrame } from '../../src/core/frame.ts';
import { crop } from '../../src/operators/crop.ts';
import { flip } from '../../src/operators/flip.ts';
import { resize } from '../../src/operators/resize.ts';
import { definePipeline, type OperatorInput } from '../../src/pipeline/pipeline.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { collector } from '../support/parts.ts';

const source = { width: 320, height: 180, frames: 1, pattern: 'smpte', fps: 30 } as const;
const camera = { fx: 300, fy: 300, cx: 150, cy: 95, width: 320, height: 180 };

async function firstPicture(operators: OperatorInput[]): Promise<ImageFrame> {
  const delivered: Frame[] = [];
  const pipeline = definePipeline({
    source: testPattern({ ...source, intrinsics: camera }),
    operators,
    sinks: [collector(systemClock, { delivered })({})],
  });
  await runPipeline(pipeline);
  return delivered[0] as ImageFrame;
}

/** What stands behind an operator that is not fused runs in this process. */
const here = map((frame: Frame) => frame);

test.each([
  ['crop', [resize({ width: 64, height: 64, on: 'cpu' })]],
  ['view', [resize({ width: 64, height: 64, view: '4:3', on: 'cpu' })]],
  ['stretch', [resize({ width: 64, height: 64, fit: 'stretch', on: 'cpu' })]],
  ['letterbox', [resize({ width: 64, height: 64, fit: 'letterbox', on: 'cpu' })]],
  ['flip', [flip({ axis: 'horizontal' })]],
  ['half a turn', [flip({ axis: 'both' })]],
  ['crop to a shape', [crop({ aspect: '4:3' })]],
  ['crop to a part', [crop({ left: 40, top: 20, width: 200, height: 120 })]],
])('%s: launch line and this process show the same', async (_, operators) => {
  const fused = await firstPicture(operators);
  const own = await firstPicture([here, ...operators]);
  expect([own.width, own.height]).toEqual([fused.width, fused.height]);
  for (const key of ['fx', 'fy', 'cx', 'cy'] as const)
    expect(own.intrinsics?.[key]).toBeCloseTo(fused.intrinsics?.[key] as number, 0);
  let sum = 0;
  for (let i = 0; i < own.data.length; i++) {
    sum += Math.abs((own.data[i] as number) - (fused.data[i] as number));
  }
  // Chroma is halved and filtered differently on the way; a shift by one pixel shows as much more.
  expect(sum / own.data.length).toBeLessThan(2.5);
});
