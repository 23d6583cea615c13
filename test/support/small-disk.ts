import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  /** Whether it is one, and not only a directory. */
  readonly small: boolean;
  /** Files that are as full as the disk where it could not be made small. */
  fill(...names: string[]): void;
  remove(): void;
}

/** A directory on a disk of 64 KiB or more; where mounting is not permitted, one with full files. */
export function smallDisk(kib = 64): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
  const mounted = tryRun('mount', '-t', 'tmpfs', '-o', `size=${kib}k`, 'depthline-test', path);
  return {
    path,
    small: mounted,
    fill(...names) {
      if (mounted) return;
      for (const name of names) symlinkSync('/dev/full', join(path, name));
    },
    remove() {
      if (mounted) execFileSync('umount', ['-l', path]);
      rmSync(path, { recursive: true });
    },
  };
}

function tryRun(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
