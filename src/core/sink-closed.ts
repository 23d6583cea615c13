/**
 * What a sink rejects `write` with when its user has closed it (a window): no failure, but it takes
 * no more frames. The frame counts as dropped, with the message as its reason.
 */
export class SinkClosed extends Error {
  override readonly name = 'SinkClosed';
  /** What ends with it. A run ends anyway when its last branch does. */
  readonly ends: 'branch' | 'run';

  constructor(message: string, ends: 'branch' | 'run') {
    super(message);
    this.ends = ends;
  }
}
