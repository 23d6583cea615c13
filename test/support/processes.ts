import { readdirSync, readFileSync } from 'node:fs';

/** Ids of running processes whose command line holds `text` and that `parent` has started. */
export function processesOf(text: string, parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const status = procFile(pid, 'status');
      const isChild = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status);
      return isChild && !/^State:\s+Z/m.test(status) && procFile(pid, 'cmdline').includes(text);
    });
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // The process has gone meanwhile.
    return '';
  }
}
