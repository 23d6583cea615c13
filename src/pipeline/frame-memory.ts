import { type Fusion, sizeAfter } from '../core/fusion.ts';
import type { Size } from '../core/size.ts';
import type { FusedPlan } from './fuse-plan.ts';
import type { OperatorStep, Pipeline } from './pipeline.ts';

/** The frames that a pipeline holds when every queue is full. */
export interface FrameMemory {
  readonly frames: number;
  /** Undefined if the size of the pictures is not known before the source runs. */
  readonly bytes: number | undefined;
  /** The largest picture among them. */
  readonly largest: Size | undefined;
}

const pictureBytes = 3;
const depthBytes = 4;

/**
 * Adds up what may wait and be worked on at once. A depth frame is counted with the picture it came
 * from, both at the size of that picture.
 */
export function mostFrameMemory(pipeline: Pipeline, fusion: FusedPlan): FrameMemory {
  const { definition, options } = pipeline.source;
  let size = fusion.fused.reduce<Size | undefined>(
    sizeAfter,
    definition.pictureSize?.(options, fusion.fused),
  );
  let pixelBytes = pictureBytes;
  let frames = 0;
  let bytes: number | undefined = 0;
  let largest = size;
  const hold = (n: number) => {
    frames += n;
    if (size === undefined || bytes === undefined) {
      bytes = undefined;
      return;
    }
    bytes += n * size.width * size.height * pixelBytes;
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size;
  };
  hold(1);
  for (const step of fusion.operators) {
    if (step.component?.definition.queued) hold(step.queue.limit + 1);
    const does = fusionOf(step);
    if (does) size = sizeAfter(size, does);
    if (givesDepth(step)) pixelBytes = pictureBytes + depthBytes;
  }
  for (const { queue } of pipeline.branches) hold(queue.limit + 1);
  return { frames, bytes, largest };
}

function fusionOf({ component }: OperatorStep): Fusion | undefined {
  return component?.definition.fuse?.(component.options);
}

function givesDepth({ component }: OperatorStep): boolean {
  const emits = component?.definition.emits;
  const kinds = typeof emits === 'function' ? emits(component?.options) : emits;
  return kinds !== 'same' && kinds?.includes('depth') === true;
}
