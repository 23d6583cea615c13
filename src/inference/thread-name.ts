import { writeFileSync } from 'node:fs';

/** Name of the threads that run a model, in `top -H` and `depthline bench`. */
export const inferenceThread = 'inference';

/** Names the thread that calls it, and those that it starts: at most 15 bytes. Linux only. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // The name is only informative.
  }
}
