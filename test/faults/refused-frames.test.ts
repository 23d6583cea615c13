import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { map, type OperatorFunction } from 'rxjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { startPipeline } from '../../src/runtime/runner.ts';
import { file } from '../../src/sinks/file.ts';
import { video } from '../../src/sinks/video.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depthline-refused-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Every third frame becomes another one, of a kind or size that a sink does not expect. */
const everyThird = (other: Frame): OperatorFunction<Frame, Frame> =>
  map((frame) => (frame.seq % 3 === 2 ? { ...other, seq: frame.seq, pts: frame.pts } : frame));

it.each([
  ['another size in a video', imageFrame(32, 32), video({ path: 'a.mkv', codec: 'mjpeg' })],
  ['points in a video', points(), video({ path: 'b.mkv', codec: 'mjpeg' })],
  ['depth in JPEG files', depthFrame(), file({ directory: 'c', format: 'jpeg' })],
  ['a picture without depth', imageFrame(), file({ directory: 'd', layout: 'rgbd' })],
])('%s: with on-error: retry the frame fails and the others go on', async (what, other, sink) => {
  const all = what === 'a picture without depth';
  const pipeline = definePipeline({
    source: testPattern({ width: 16, height: 16, frames: 9 }),
    operators: [everyThird(other)],
    sinks: [{ sink, onError: 'retry' }],
    baseDirectory: folder,
  });
  const summary = await (await startPipeline(pipeline)).done;
  expect(summary.error).toBeUndefined();
  const [account] = summary.branches;
  expect(account).toMatchObject({ delivered: all ? 0 : 6, failed: all ? 9 : 3 });
  expect(summary.branches.map(imbalance)).toEqual([0]);
});

function points(): Frame {
  const { seq, pts, capturedAt, source } = imageFrame();
  return { kind: 'points', seq, pts, capturedAt, source, count: 1, data: Float32Array.of(0, 0, 1) };
}
