import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { DepthlineError } from '../core/errors.ts';

/** A place that is held; `release` gives it up. */
export interface PlaceLock {
  release(): Promise<void>;
}

/**
 * Holds a name in a directory for this run, so that no second run writes there. The lock is an
 * abstract Unix socket: it leaves no file, and the kernel frees it when its owner dies, however
 * that happens. Runs in other network namespaces (containers) do not see it.
 *
 * @param directory must exist; which path leads to it does not matter
 * @throws DepthlineError `SINK` if another run, or another sink of this run, holds the place
 * @throws Error of the file system
 */
export async function lockPlace(directory: string, name: string): Promise<PlaceLock> {
  // Elsewhere there are no abstract sockets. Files are never replaced there either.
  if (process.platform !== 'linux') return { release: async () => {} };
  const { dev, ino } = await stat(directory, { bigint: true });
  const key = createHash('sha256').update(`${dev}:${ino}:${name}`).digest('hex').slice(0, 40);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(inUse(directory, name));
      // The first releases of Node.js 20 know no abstract sockets.
      else if (error.code === 'EINVAL') resolve();
      else reject(error);
    });
    server.listen(`\0depthline-${key}`, resolve);
  });
  server.unref();
  return {
    release: () =>
      new Promise((resolve) => {
        // The error of a server that never listened does not matter.
        server.close(() => resolve());
      }),
  };
}

function inUse(directory: string, name: string): DepthlineError {
  return new DepthlineError(
    'SINK',
    `${directory} is in use: another run or sink writes ${name} there; end it, or choose another directory or name`,
  );
}
