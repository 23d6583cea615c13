import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk {
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  remove(): void;
}

const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];

/** Whether this user may mount a file system: what a full disk does is tested on one. */
export const canMount = mayMount();

/**
 * A directory on a disk of its own, `kib` KiB large.
 *
 * @param inodes of the disk; default: as many as the system gives it
 */
export function smallDisk(kib = 64, inodes?: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'small-disk-'));
  const limits = `size=${kib}k${inodes === undefined ? '' : `,nr_inodes=${inodes}`},mode=0777`;
  execute('mount', '-t', 'tmpfs', '-o', limits, 'depthline-test', path);
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      try {
        writeFileSync(filler, Buffer.alloc(kib * 1024));
      } catch {
        // It took what there was room for.
      }
    },
    free: () => rmSync(filler),
    remove() {
      execute('umount', '-l', path);
      rmSync(path, { recursive: true });
    },
  };
}

function mayMount(): boolean {
  try {
    smallDisk().remove();
    return true;
  } catch {
    return false;
  }
}

function execute(...line: [string, ...string[]]): void {
  const [command, ...args] = [...sudo, ...line] as [string, ...string[]];
  execFileSync(command, args, { stdio: 'ignore', timeout: 60_000 });
}
