/**
 * Resolves like `work`, or rejects when the process has nothing left to wait for and `work` is still
 * pending: Node.js would exit without a word.
 *
 * @param message of the error
 */
export async function unlessIdle<T>(work: Promise<T>, message: string): Promise<T> {
  let onIdle = () => {};
  const idle = new Promise<never>((_, reject) => {
    onIdle = () => reject(new Error(message));
  });
  process.once('beforeExit', onIdle);
  try {
    return await Promise.race([work, idle]);
  } finally {
    process.off('beforeExit', onIdle);
  }
}
