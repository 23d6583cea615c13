import { expect, test } from 'vitest';
import { crop, discard, estimateDepth, resize, testPattern } from '../../src/index.ts';
import { planFusion } from '../../src/pipeline/fuse-plan.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';

const sinks = [discard()];

function plan(operators: Parameters<typeof definePipeline>[0]['operators'] = []) {
  return planFusion(definePipeline({ source: testPattern(), operators, sinks }));
}

test('what depends on the shape of resized pixels is left to this process', async () => {
  const small = resize({ width: 224, height: 224, view: '4:3' });
  const resized = await plan([small, resize({ width: 64, height: 36 })]);
  expect(resized.fused.map((fusion) => fusion.do)).toEqual(['resize']);
  expect(resized.operators.map(({ name }) => name)).toEqual(['resize']);
  const cut = await plan([small, crop({ aspect: '16:9' })]);
  expect(cut.operators.map(({ name }) => name)).toEqual(['crop']);
  const rectangle = await plan([small, crop({ left: 0, top: 0, width: 8, height: 8 })]);
  expect(rectangle.fused.map((fusion) => fusion.do)).toEqual(['resize', 'crop']);
});

test('a network gets its picture from the launch line', async () => {
  const { fused } = await plan([estimateDepth()]);
  expect(fused).toMatchObject([{ do: 'resize', width: 224, height: 224, view: 4 / 3 }]);
});
