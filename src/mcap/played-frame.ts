import type { DepthFrame, ImageFrame, MessageKind, PointsFrame } from '../core/frame.ts';
import type { Drop } from '../core/run-stats.ts';

/** What a frame holds, without what only the run can give it. */
type Contents<F> = Omit<F, 'seq' | 'pts' | 'capturedAt' | 'source' | 'image' | 'picture'> & {
  readonly image?: Contents<ImageFrame>;
  readonly picture?: Contents<ImageFrame>;
};

export type FrameContents =
  | Contents<ImageFrame>
  | Contents<DepthFrame>
  | Contents<PointsFrame>
  | { readonly kind: 'data'; readonly value: unknown; readonly name?: string };

/** A frame of a file. */
export interface PlayedFrame {
  readonly seq: number;
  /** Nanoseconds. */
  readonly pts: bigint;
  /** Frames that the recording lost before this one. */
  readonly dropped: readonly Drop[];
  /** Decodes it; rejects with the reason if that fails. */
  contents(): Promise<FrameContents>;
}

/** Frames that were lost after the last one. */
export interface PlayedRest {
  readonly rest: readonly Drop[];
}

export type Played = PlayedFrame | PlayedRest;

export interface PlayOptions {
  readonly as: MessageKind;
  /** Start of the recording, if it is that of an earlier file; nanoseconds since the Unix epoch. */
  readonly origin?: bigint | undefined;
  /** Since the start of the recording, nanoseconds. */
  readonly from?: bigint | undefined;
  readonly to?: bigint | undefined;
}
