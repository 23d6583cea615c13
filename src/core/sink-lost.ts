/**
 * What a sink rejects `write` with when it cannot write any more and trying again is of no use: its
 * process cannot be restarted, its device is gone. With `on-error: skip` or `retry` its branch ends,
 * the other branches go on, and the run fails with this error at its end; with `fail` the run ends.
 */
export class SinkLost extends Error {
  override readonly name = 'SinkLost';
}
