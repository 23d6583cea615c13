import { DepthlineError } from './errors.ts';

/**
 * What a sink rejects `write` with for a frame that it can never write: of a kind or size that does
 * not fit. `on-error: retry` does not try it again; the frame counts as failed, as with `skip`.
 */
export class FrameRefused extends DepthlineError {
  constructor(message: string) {
    super('SINK', message);
  }
}
