/** Messages between a capture and its host process; the frames go over the inherited socket. */

import type { Size } from '../../core/size.ts';
import type { Failure } from '../failure.ts';

export type ToHost =
  /** Parse a complete launch line, which ends in an fdsink. */
  | { readonly type: 'prepare'; readonly launchLine: string }
  | { readonly type: 'start' }
  /** Shut the pipeline down. */
  | { readonly type: 'stop' };

export type FromHost =
  /** The launch line parses. */
  | { readonly type: 'prepared' }
  /** The pipeline runs; PTS of a live source count from here, monotonic nanoseconds. */
  | { readonly type: 'running'; readonly since: string }
  /** The source's picture, of which those in the stream are a part. */
  | { readonly type: 'source-size'; readonly size: Size }
  /** A decoder has dropped so many damaged pictures since it was started. */
  | { readonly type: 'damaged'; readonly total: number }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'ended' };
