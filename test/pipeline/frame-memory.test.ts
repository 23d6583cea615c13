import { describe, expect, test } from 'vitest';
import { crop } from '../../src/operators/crop.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { resize } from '../../src/operators/resize.ts';
import { mostFrameMemory } from '../../src/pipeline/frame-memory.ts';
import { planFusion } from '../../src/pipeline/fuse-plan.ts';
import { definePipeline, type PipelineInput } from '../../src/pipeline/pipeline.ts';
import { discard } from '../../src/sinks/discard.ts';
import { rtsp } from '../../src/sources/rtsp.ts';
import { syntheticRoom } from '../../src/sources/synthetic-room.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';

async function memory(
  source: PipelineInput['source'],
  operators: PipelineInput['operators'],
  limit = 8,
) {
  const sinks = [{ sink: discard(), queue: { limit } }];
  const pipeline = definePipeline({ source, sinks, ...(operators && { operators }) });
  return mostFrameMemory(pipeline, await planFusion(pipeline));
}

const uhd = { width: 3840, height: 2160 };

describe('the memory that frames take at most', () => {
  test('is that of the pictures that the source delivers', async () => {
    const { frames, bytes, largest } = await memory(testPattern(uhd), []);
    expect([frames, bytes, largest]).toEqual([10, 10 * 3840 * 2160 * 3, uhd]);
  });

  test('is that of the smaller pictures that the launch line makes of them', async () => {
    const operators = [crop({ aspect: '4:3' }), resize({ width: 640, height: 480 })];
    const { bytes, largest } = await memory(testPattern(uhd), operators);
    expect([bytes, largest]).toEqual([10 * 640 * 480 * 3, { width: 640, height: 480 }]);
    expect((await memory(rtsp({ url: 'rtsp://a/b' }), operators)).bytes).toBe(bytes);
  });

  test('counts the large pictures in front of an operator that makes them small', async () => {
    const source = syntheticRoom({ width: 1920, height: 1080 });
    const { frames, bytes, largest } = await memory(
      source,
      [resize({ width: 224, height: 224 })],
      1,
    );
    expect(frames).toBe(1 + 2 + 2);
    expect(bytes).toBe(3 * 1920 * 1080 * 3 + 2 * 224 * 224 * 3);
    expect(largest).toEqual({ width: 1920, height: 1080 });
  });

  test('counts picture and depth behind a network', async () => {
    const { bytes } = await memory(testPattern(uhd), [estimateDepth()], 1);
    expect(bytes).toBe(224 * 224 * (3 * 3 + 2 * 7));
  });

  test('is not known where the source alone knows the size', async () => {
    const { frames, bytes } = await memory(rtsp({ url: 'rtsp://a/b' }), []);
    expect([frames, bytes]).toEqual([10, undefined]);
  });
});
