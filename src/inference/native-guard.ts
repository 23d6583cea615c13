/**
 * Keeps a process that exits from aborting. Node.js stops worker threads at `process.exit`; one that
 * is inside ONNX Runtime returns to an environment that no longer exists, and its binding then throws
 * where nothing can catch it. So an exit waits until no worker is inside, and no worker enters again.
 */

const inside = 0;
const leaving = 1;

/** How long an exit may wait, milliseconds: longer than any inference. */
const longestWaitMs = 30_000;

/** Memory shared by the main thread and one worker: two int32. */
export function nativeState(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
}

/** In the worker: runs native code, unless the process is about to exit; then it never returns. */
export function native<T>(state: SharedArrayBuffer, work: () => T): T {
  const flags = new Int32Array(state);
  Atomics.store(flags, inside, 1);
  try {
    // In this order one of the two sides sees the other.
    if (Atomics.load(flags, leaving) === 0) return work();
  } finally {
    Atomics.store(flags, inside, 0);
    Atomics.notify(flags, inside);
  }
  // Until Node.js ends this thread.
  Atomics.wait(flags, leaving, 1);
  throw new Error('the program is exiting');
}

const guarded = new Set<Int32Array>();

/** In the main thread: an exit waits for this worker until the returned function is called. */
export function guardExit(state: SharedArrayBuffer): () => void {
  const flags = new Int32Array(state);
  if (guarded.size === 0) process.on('exit', waitForAll);
  guarded.add(flags);
  return () => {
    guarded.delete(flags);
    if (guarded.size === 0) process.off('exit', waitForAll);
  };
}

function waitForAll(): void {
  const deadline = performance.now() + longestWaitMs;
  for (const flags of guarded) Atomics.store(flags, leaving, 1);
  for (const flags of guarded) {
    Atomics.wait(flags, inside, 1, Math.max(0, deadline - performance.now()));
  }
}
