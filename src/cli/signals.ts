/**
 * Signals that end a command. Under `nohup` SIGHUP is ignored; Node.js resets that when it starts, so
 * bin/depthline checks it first.
 */
export const endingSignals: readonly NodeJS.Signals[] = process.env.DEPTHLINE_NOHUP
  ? ['SIGINT', 'SIGTERM']
  : ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Calls `handle` for every signal that would end the process.
 *
 * @param except signals that mean something else here
 */
export function onEndingSignals(
  handle: (signal: NodeJS.Signals) => void,
  except: readonly NodeJS.Signals[] = [],
): void {
  for (const signal of endingSignals) if (!except.includes(signal)) process.on(signal, handle);
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

/** SIGHUP of a run that is served: it neither ends the run nor is it lost while the run starts. */
export class Hangups {
  #heeded = false;
  #came = false;
  #act: (() => void) | undefined;

  /** From now on the signal does not end the process. */
  heed(): void {
    if (this.#heeded) return;
    this.#heeded = true;
    process.on('SIGHUP', () => {
      if (this.#act) this.#act();
      else this.#came = true;
    });
  }

  /** What the signal asks for; done at once if it has come before. */
  follow(act: () => void): void {
    this.#act = act;
    if (this.#came) act();
  }
}
