import { execFileSync } from 'node:child_process';
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRegularFile, requireRegularFile } from '../../src/core/regular-file.ts';
import { workplace } from '../support/cli.ts';

describe('readRegularFile', () => {
  it('reads a file, also through a link', async () => {
    const folder = workplace({ a: 'text' });
    symlinkSync('a', join(folder, 'link'));
    expect(await readRegularFile(join(folder, 'a'), 100)).toBe('text');
    expect(await readRegularFile(join(folder, 'link'), 100)).toBe('text');
  });

  it('refuses a file larger than it may read', async () => {
    const path = join(workplace({ a: '' }), 'a');
    truncateSync(path, 101);
    await expect(readRegularFile(path, 100)).rejects.toThrow(
      /a is too large: 101 bytes; at most 100/,
    );
    writeFileSync(path, 'x'.repeat(100));
    expect(await readRegularFile(path, 100)).toHaveLength(100);
  });

  it.skipIf(process.platform !== 'linux')('counts what it reads: /proc says 0 bytes', async () => {
    await expect(readRegularFile('/proc/self/status', 100)).rejects.toThrow(
      /^\/proc\/self\/status is too large; at most 100 are read/,
    );
    expect(await readRegularFile('/proc/self/status', 100_000)).toMatch(/^Name:/);
  });

  it('passes on that there is no file', async () => {
    await expect(readRegularFile('/nowhere/a', 100)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says that a link leads nowhere', async () => {
    const link = join(workplace(), 'link');
    symlinkSync('gone', link);
    const message = `${link} is a link to a file that cannot be found; restore that file or the link`;
    await expect(readRegularFile(link, 100)).rejects.toThrow(message);
    await expect(requireRegularFile(link)).rejects.toThrow(message);
  });

  it('refuses what has no end or may never begin', async () => {
    const folder = workplace();
    const fifo = join(folder, 'fifo');
    const socket = join(folder, 'socket');
    execFileSync('mkfifo', [fifo]);
    const server = createServer().listen(socket);
    await new Promise((resolve) => server.once('listening', resolve));
    const kinds = {
      [fifo]: 'FIFO',
      [socket]: 'socket',
      '/dev/zero': 'device',
      [folder]: 'directory',
    };
    for (const [path, kind] of Object.entries(kinds)) {
      const message = `${path} is a ${kind}, not a regular file; give the path of a file`;
      await expect(readRegularFile(path, 100)).rejects.toThrow(message);
      await expect(requireRegularFile(path)).rejects.toThrow(message);
    }
    server.close();
  });
});
