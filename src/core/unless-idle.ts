/** What is told when the process has nothing left to wait for. */
const waiting = new Set<() => void>();

function onIdle(): void {
  for (const tell of [...waiting]) tell();
}

/**
 * Resolves like `work`, or rejects when the process has nothing left to wait for and `work` is still
 * pending: Node.js would exit without a word.
 *
 * @param message of the error
 */
export async function unlessIdle<T>(work: Promise<T>, message: string): Promise<T> {
  let tell = () => {};
  const idle = new Promise<never>((_, reject) => {
    tell = () => reject(new Error(message));
  });
  // One listener for all: the components of many cameras open at the same time.
  if (waiting.size === 0) process.on('beforeExit', onIdle);
  waiting.add(tell);
  try {
    return await Promise.race([work, idle]);
  } finally {
    waiting.delete(tell);
    if (waiting.size === 0) process.off('beforeExit', onIdle);
  }
}
