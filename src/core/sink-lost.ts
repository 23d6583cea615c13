/**
 * What a sink rejects `write` with when it has failed permanently and a retry is useless: its process
 * cannot be restarted, its device is gone. With `on-error: skip` or `retry` its branch ends, the other
 * branches continue, and the run fails with this error at its end; with `fail` the run ends.
 */
export class SinkLost extends Error {
  override readonly name = 'SinkLost';
}
