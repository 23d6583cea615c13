import { readFileSync } from 'node:fs';

/**
 * Memory of processes as if they were alone on the machine, MiB: their own pages, and each page of a file
 * once, however many of them have mapped it.
 */
export function familyMemoryMiB(pids: readonly number[]): number {
  let ownKiB = 0;
  const files = new Map<string, number>();
  for (const pid of pids) {
    let file: string | undefined;
    for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
      const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ (\S+) \S+ (\d+) *(.*)$/.exec(line);
      if (mapping) {
        const [, offset, inode, name] = mapping;
        // Shared memory without a name, as between a program and its threads, counts as a file, too.
        file = inode === '0' ? undefined : `${name} ${inode} ${offset}`;
        continue;
      }
      const [, key, kib] = /^(Rss|Anonymous): +(\d+) kB$/.exec(line) ?? [];
      if (key === undefined) continue;
      const size = Number(kib);
      if (key === 'Anonymous') {
        ownKiB += size;
        // What a process has written to of a file's pages is its own.
        if (file !== undefined) files.set(file, Math.max(0, (files.get(file) ?? 0) - size));
      } else if (file !== undefined) {
        files.set(file, Math.max(size, files.get(file) ?? 0));
      }
    }
  }
  const sharedKiB = [...files.values()].reduce((sum, size) => sum + size, 0);
  return (ownKiB + sharedKiB) / 1024;
}
