import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const pageBytes = 4096;

/** This process and everything it has started, itself first. */
export function family(): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (fields) parents.set(Number(name), Number(fields[1]));
  }
  const found = [process.pid];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

/** CPU time since the start, milliseconds: this process exactly, the others to 10 ms. */
export function cpuMs(pids: readonly number[]): number {
  const own = process.cpuUsage();
  return pids.reduce((sum, pid) => {
    if (pid === process.pid) return sum + (own.user + own.system) / 1000;
    const fields = statFields(pid);
    if (!fields) return sum;
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  }, 0);
}

/** What a process was started with. */
export function commandLine(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** CPU time of this process's main thread since the start, milliseconds. */
export function mainThreadMs(): number {
  const nanoseconds = Number(read(process.pid, `task/${process.pid}/schedstat`).split(' ')[0]);
  return nanoseconds / 1e6;
}

/** Resident memory, MiB. */
export function memoryMiB(pids: readonly number[]): number {
  const pages = pids.map((pid) => Number(read(pid, 'statm').split(' ')[1] ?? 0));
  return (pages.reduce((sum, n) => sum + n, 0) * pageBytes) / 2 ** 20;
}

/** Open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** What stands in /proc/PID/stat after the name: state, parent, … */
function statFields(pid: number): string[] | undefined {
  const text = read(pid, 'stat');
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // It has gone meanwhile.
    return '';
  }
}
