import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { reason } from './errors.ts';

/** Bytes that one read gives at most; Node.js aborts the process when it is asked for more. */
export const largestRead = 2 ** 31 - 1;

/**
 * Opens a user's file for reading. Only regular files are opened: reading a FIFO may block for ever,
 * and a device such as /dev/zero has no end.
 *
 * @throws Error with the system's `code`, or one that says what the path is instead
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  await requireRegularFile(path);
  // The path may have been replaced since; without O_NONBLOCK opening a FIFO waits for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseOther(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Like `openRegularFile`, for code that opens the file itself.
 *
 * @throws Error with the system's `code`, or one that says what the path is instead
 */
export async function requireRegularFile(path: string): Promise<void> {
  refuseOther(path, await stat(path).catch((error: unknown) => explainLink(path, error)));
}

/**
 * The text of a regular file.
 *
 * @param maxBytes a larger file is refused; bytes
 * @throws Error with the system's `code`, or one that says what is wrong with the file
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<string> {
  const file = await openRegularFile(path);
  try {
    const { size } = await file.stat();
    const most = `at most ${maxBytes} are read`;
    if (size > maxBytes) throw new Error(`${path} is too large: ${size} bytes; ${most}`);
    // The files of /proc and /sys have a size of 0 and any length, some of them without an end.
    const chunks: Buffer[] = [];
    for await (const chunk of file.createReadStream({ end: maxBytes, autoClose: false })) {
      chunks.push(chunk as Buffer);
    }
    const data = Buffer.concat(chunks);
    if (data.length > maxBytes) throw new Error(`${path} is too large; ${most} (bytes)`);
    return data.toString('utf8');
  } finally {
    await file.close();
  }
}

/**
 * The content of a regular file.
 *
 * @throws Error with the system's `code`, or one that says what the path is instead
 */
export async function readRegularBytes(path: string): Promise<Uint8Array> {
  const file = await openRegularFile(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Why a file could not be opened or read, as a message for the user. */
export function whyUnreadable(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no file ${path}; check the path`;
  if (code === 'EACCES') return `${path} cannot be read: permission denied`;
  const message = reason(error);
  return message.includes(path) ? message : `${path} cannot be read: ${message}`;
}

/** "No such file" is no help where one sees the name in its folder. */
async function explainLink(path: string, error: unknown): Promise<never> {
  const entry = await lstat(path).catch(() => undefined);
  if (!entry?.isSymbolicLink()) throw error;
  throw new Error(
    `${path} is a link to a file that cannot be found; restore that file or the link`,
    {
      cause: error,
    },
  );
}

function refuseOther(path: string, stats: Stats): void {
  if (stats.isFile()) return;
  throw new Error(`${path} is ${kindOf(stats)}, not a regular file; give the path of a file`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
