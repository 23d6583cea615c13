import { writeFileSync } from 'node:fs';

/** What `top -H` and `depthline bench` call the threads that run a model. */
export const inferenceThread = 'inference';

/** Names the thread that calls it, and those that it starts: at most 15 bytes. Linux only. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name);
  } catch {
    // Only for people who look; without it everything works as well.
  }
}
