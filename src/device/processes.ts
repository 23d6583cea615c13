import { existsSync, readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;
const pageBytes = 4096;

/** A process and its descendants, itself first; default: this one. */
export function family(root = process.pid): number[] {
  const found = [root];
  // Kernels without these files have none of them.
  if (existsSync(`/proc/self/task/${process.pid}/children`)) {
    for (const pid of found) found.push(...childrenOf(pid));
    return found;
  }
  const parents = allParents();
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

function childrenOf(pid: number): number[] {
  return folder(`/proc/${pid}/task`).flatMap((thread) =>
    read(pid, `task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** The parent of every process of this machine. */
function allParents(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(read(Number(name), 'stat'));
    if (fields) parents.set(Number(name), Number(fields[1]));
  }
  return parents;
}

/** CPU time since the start, milliseconds: this process exactly, the others to 10 ms. */
export function cpuMs(pids: readonly number[]): number {
  const own = process.cpuUsage();
  return pids.reduce((sum, pid) => {
    if (pid === process.pid) return sum + (own.user + own.system) / 1000;
    return sum + ticksMs(read(pid, 'stat'));
  }, 0);
}

/** CPU time of all processes of the machine since it was started, milliseconds. */
export function machineMs(): number {
  const [, user, nice, system, , , irq, softIrq] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] as string
  ).split(/\s+/);
  const ticks = [user, nice, system, irq, softIrq].reduce((sum, n) => sum + Number(n), 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** Command line of a process. */
export function commandLine(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** CPU time of this process's main thread since the start, milliseconds. */
export function mainThreadMs(): number {
  return threadMs(process.pid);
}

/** CPU time since the start of this process's other threads, by their names, milliseconds. */
export function otherThreadsMs(): Map<string, number> {
  const byName = new Map<string, number>();
  for (const thread of readdirSync('/proc/self/task').map(Number)) {
    if (thread === process.pid) continue;
    const name = read(process.pid, `task/${thread}/comm`).trim();
    byName.set(name, (byName.get(name) ?? 0) + threadMs(thread));
  }
  return byName;
}

/** Exactly where the kernel keeps schedstat, else to 10 ms. */
function threadMs(thread: number): number {
  const exact = read(process.pid, `task/${thread}/schedstat`);
  if (exact === '') return ticksMs(read(process.pid, `task/${thread}/stat`));
  return Number(exact.split(' ')[0]) / 1e6;
}

/** Resident memory, MiB. */
export function memoryMiB(pids: readonly number[]): number {
  const pages = pids.map((pid) => Number(read(pid, 'statm').split(' ')[1] ?? 0));
  return (pages.reduce((sum, n) => sum + n, 0) * pageBytes) / 2 ** 20;
}

/** Resident memory in which each process has its part of the pages that several share, MiB. */
export function proportionalMiB(pids: readonly number[]): number {
  const kib = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? 0));
  return kib.reduce((sum, n) => sum + n, 0) / 1024;
}

/** Voluntary context switches of all threads since they were started. */
export function switches(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    for (const thread of threads(pid)) {
      const found = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(read(pid, `task/${thread}/status`));
      sum += Number(found?.[1] ?? 0);
    }
  }
  return sum;
}

/** Open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** The fields of a stat file after the name: state, parent, … */
function statFields(text: string): string[] | undefined {
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** User and system time in a stat file. */
function ticksMs(text: string): number {
  const fields = statFields(text);
  return fields ? ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond : 0;
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // The process has exited.
    return [];
  }
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // The process has exited.
    return '';
  }
}

function folder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // The process has exited.
    return [];
  }
}
