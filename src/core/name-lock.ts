import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';

/**
 * Holds a name in a directory, against other processes and within this one. The lock is an abstract
 * Unix socket: it leaves no file, and the kernel frees it when its owner dies, however that happens.
 * Processes in other network namespaces (containers) do not see it.
 *
 * @param directory must exist; which path leads to it does not matter
 * @returns a function that gives the name up; `undefined` if another holds it
 * @throws Error of the file system
 */
export async function lockName(
  directory: string,
  name: string,
): Promise<(() => Promise<void>) | undefined> {
  // Elsewhere there are no abstract sockets.
  if (process.platform !== 'linux') return async () => {};
  const { dev, ino } = await stat(directory, { bigint: true });
  const key = createHash('sha256').update(`${dev}:${ino}:${name}`).digest('hex').slice(0, 40);
  const server = createServer((socket) => socket.destroy());
  const held = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      // The first releases of Node.js 20 know no abstract sockets.
      else if (error.code === 'EINVAL') resolve(true);
      else reject(error);
    });
    server.listen(`\0depthline-${key}`, () => resolve(true));
  });
  if (!held) return undefined;
  server.unref();
  // The error of a server that never listened does not matter.
  return () => new Promise((resolve) => server.close(() => resolve()));
}
