/**
 * What a sink rejects `write` with when its user has closed it (a window): no failure, but it accepts
 * no more frames. The frame counts as dropped, with the message as its reason.
 */
export class SinkClosed extends Error {
  override readonly name = 'SinkClosed';
  /** What ends with it. A run always ends with its last branch. */
  readonly ends: 'branch' | 'run';

  constructor(message: string, ends: 'branch' | 'run') {
    super(message);
    this.ends = ends;
  }
}
