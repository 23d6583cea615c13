import type { Frame, MessageFrame } from './frame.ts';
import { FrameRefused } from './frame-refused.ts';

/**
 * A frame that messages and recordings can hold.
 *
 * @throws FrameRefused for a stereo pair
 */
export function messageFrame(frame: Frame): MessageFrame {
  if (frame.kind !== 'stereo') return frame;
  throw new FrameRefused(
    'no message holds a stereo pair; put an operator before the sink that estimates its depth, or takes one of its pictures',
  );
}
