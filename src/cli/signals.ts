/**
 * Signals that end a command. Under `nohup` SIGHUP is ignored; Node.js resets that when it starts, so
 * bin/depthline checks it first.
 */
export const endingSignals: readonly NodeJS.Signals[] = process.env.DEPTHLINE_NOHUP
  ? ['SIGINT', 'SIGTERM']
  : ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Calls `handle` for every signal that would end the process. */
export function onEndingSignals(handle: (signal: NodeJS.Signals) => void): void {
  for (const signal of endingSignals) process.on(signal, handle);
  // An exit may wait for threads in native code; a signal then ends the process at once.
  process.prependOnceListener('exit', () => {
    for (const signal of endingSignals) process.removeAllListeners(signal);
  });
}

/** Ends the process at once, without waiting for threads as `process.exit` does. */
export function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
