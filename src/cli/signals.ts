/**
 * Signals that end a command. Under `nohup` SIGHUP does not; Node.js forgets that when it starts, so
 * bin/depthline looks beforehand.
 */
export const endingSignals: readonly NodeJS.Signals[] = process.env.DEPTHLINE_NOHUP
  ? ['SIGINT', 'SIGTERM']
  : ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Handles every signal that would end the process, until it exits. */
export function onEndingSignals(handle: (signal: NodeJS.Signals) => void): void {
  for (const signal of endingSignals) process.on(signal, handle);
  // An exit may wait for threads that are inside native code; another signal ends it at once.
  process.prependOnceListener('exit', () => {
    for (const signal of endingSignals) process.removeAllListeners(signal);
  });
}

/** Ends the process at once, as the signal would without listeners; `process.exit` waits for threads. */
export function dieBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
