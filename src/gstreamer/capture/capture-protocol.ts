/** Messages between a capture and its host process; the frames go over the inherited socket. */

import type { Failure } from '../failure.ts';

export interface StartMessage {
  readonly type: 'start';
  /** Complete launch line; its appsink is called `depthline-frames`. */
  readonly launchLine: string;
}

/** Shuts the pipeline down. */
export interface StopMessage {
  readonly type: 'stop';
}

export type ToHost = StartMessage | StopMessage;

export type FromHost =
  /** A decoder has dropped so many damaged pictures since it was started. */
  | { readonly type: 'damaged'; readonly total: number }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'ended' };

/** One byte from the parent requests one frame. */
export const credit = 1;
