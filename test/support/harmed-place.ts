import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { smallDisk } from './small-disk.ts';

/** A directory that can be made unusable for a while. It is removed when the test ends. */
export interface Place {
  readonly directory: string;
  harm(): void;
  mend(): void;
  readonly problem: RegExp;
  /** Whether what was recorded before is still there. */
  readonly keeps: boolean;
}

/** @param kib size of the disk */
export function fullDisk(kib: number): Place {
  const disk = smallDisk(kib);
  onTestFinished(() => disk.remove());
  return {
    directory: disk.path,
    harm: () => disk.fill(),
    mend: () => disk.free(),
    problem: /the disk of .* is full; free space/,
    keeps: true,
  };
}

export function removedDirectory(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-removed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const directory = join(folder, 'out');
  return {
    directory,
    harm: () => removeAtOnce(directory),
    mend: () => mkdirSync(directory, { recursive: true }),
    problem: /out has vanished: it was removed or unmounted/,
    keeps: false,
  };
}

/** Removes a directory that another process writes to: its files go away together, and none is added meanwhile. */
export function removeAtOnce(directory: string): void {
  const gone = `${directory}.gone`;
  renameSync(directory, gone);
  rmSync(gone, { recursive: true });
}
