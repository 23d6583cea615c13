import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm, unlink } from 'node:fs/promises';
import { DepthlineError } from '../core/errors.ts';

/** A name that is taken by something that this run did not write. */
export class NameTaken extends DepthlineError {
  readonly path: string;

  constructor(path: string, advice = 'move it away, or choose another path') {
    super('SINK', `${path} exists and is not replaced; ${advice}`);
    this.path = path;
  }
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** Opens a file that did not exist. A link in its place is not followed. */
export function openNew(path: string): Promise<FileHandle> {
  return open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
}

/**
 * Opens an existing regular file. Links are not followed, and a FIFO or a device does not block.
 *
 * @returns `undefined` if there is no such file
 * @throws NameTaken if the name belongs to something else than a regular file
 */
export async function openRegular(
  path: string,
  how: 'read' | 'append',
): Promise<FileHandle | undefined> {
  const access = how === 'read' ? O_RDONLY : O_RDWR | O_APPEND;
  let handle: FileHandle;
  try {
    handle = await open(path, access | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    // A link, a directory opened for writing, a socket.
    if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') throw notRegular(path);
    throw error;
  }
  const regular = await handle.stat().then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (regular) return handle;
  await handle.close();
  throw notRegular(path);
}

export function notRegular(path: string): NameTaken {
  return new NameTaken(path, 'it is not a regular file; remove it, or choose another path');
}

/**
 * Writes a file that appears under its name only when it is complete, and replaces nothing.
 *
 * @throws NameTaken if the name exists, whatever it is
 */
export async function writeNew(path: string, data: string | Uint8Array): Promise<void> {
  const unfinished = await writeUnfinished(path, data);
  try {
    await publish(unfinished, path);
  } catch (error) {
    // Whatever else goes wrong here, the first error is the one to report.
    await rm(unfinished, { force: true }).catch(() => {});
    throw error;
  }
}

/**
 * Checks that `writeOwn` may write a path: nothing is there, or a regular file that holds `mark` in
 * its first 4 KiB, which an earlier run of the same command wrote.
 *
 * @returns whether there is such a file
 * @throws NameTaken if the name belongs to anything else
 */
export async function requireOwn(path: string, mark: string): Promise<boolean> {
  const handle = await openRegular(path, 'read');
  if (!handle) return false;
  try {
    const head = Buffer.alloc(4096);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (!head.subarray(0, bytesRead).includes(mark)) throw new NameTaken(path);
    return true;
  } finally {
    await handle.close();
  }
}

/**
 * Like `writeNew`, but replaces a file that `requireOwn` accepts.
 *
 * @throws NameTaken if the name belongs to anything else
 */
export async function writeOwn(path: string, text: string, mark: string): Promise<void> {
  if (!(await requireOwn(path, mark))) return writeNew(path, text);
  return replace(path, text);
}

/**
 * Like `writeNew`, but replaces a regular file. Only for files of which the caller knows that an
 * earlier run of the same command wrote them.
 *
 * @throws NameTaken if the name belongs to something else than a regular file
 */
export async function writeOver(path: string, data: string | Uint8Array): Promise<void> {
  const handle = await openRegular(path, 'read');
  if (!handle) return writeNew(path, data);
  await handle.close();
  return replace(path, data);
}

/** Readers see the old file or the new one, whole. */
async function replace(path: string, data: string | Uint8Array): Promise<void> {
  const unfinished = await writeUnfinished(path, data);
  try {
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw error;
  }
}

/** Writes `NAME.part`, or another name beside it if that one is taken; gives its path. */
async function writeUnfinished(path: string, data: string | Uint8Array): Promise<string> {
  for (let name = `${path}.part`; ; name = `${path}.${randomBytes(4).toString('hex')}.part`) {
    let handle: FileHandle;
    try {
      handle = await openNew(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw error;
    }
    try {
      await handle.writeFile(data);
      await handle.close();
      return name;
    } catch (error) {
      await handle.close().catch(() => {});
      await rm(name, { force: true }).catch(() => {});
      throw error;
    }
  }
}

/** What link(2) fails with on a file system without hard links (FAT, exFAT, some network ones). */
const withoutLinks: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
]);

/**
 * Gives a complete file its name. The old name is gone afterwards.
 *
 * @throws NameTaken if the new name exists, whatever it is
 */
export async function publish(unfinished: string, path: string): Promise<void> {
  try {
    // rename(2) would replace what is there.
    await link(unfinished, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new NameTaken(path);
    if (!withoutLinks.has(code)) throw error;
    return reserveAndRename(unfinished, path);
  }
  await unlink(unfinished);
}

/** `publish` for file systems without hard links: what rename replaces is a file made just now. */
export async function reserveAndRename(unfinished: string, path: string): Promise<void> {
  try {
    await (await openNew(path)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new NameTaken(path);
    throw error;
  }
  try {
    await rename(unfinished, path);
  } catch (error) {
    await rm(path, { force: true }).catch(() => {});
    throw error;
  }
}
