import { commandLine, cpuMs, family, memoryMiB } from '../device/processes.ts';

/** What a process of a run does. */
export type ProcessKind = 'main' | 'capture' | 'output' | 'other';

export const processKinds: readonly ProcessKind[] = ['main', 'capture', 'output', 'other'];

export interface ProcessUse {
  /** Processes of this kind now. */
  count: number;
  /** CPU time of this kind since the start, seconds; that of processes that have ended included. */
  cpuSeconds: number;
  memoryBytes: number;
}

/**
 * CPU time and memory of this process and its children, by what they do. CPU time never falls: what a
 * process used after the last look at it, and before it ended, is missing.
 */
export class ProcessAccount {
  readonly #cpu: Record<ProcessKind, number> = { main: 0, capture: 0, output: 0, other: 0 };
  readonly #seen = new Map<number, { readonly kind: ProcessKind; cpuMs: number }>();

  look(): Record<ProcessKind, ProcessUse> {
    const memory = { main: 0, capture: 0, output: 0, other: 0 };
    const counts = { main: 0, capture: 0, output: 0, other: 0 };
    const pids = family();
    for (const pid of this.#seen.keys()) if (!pids.includes(pid)) this.#seen.delete(pid);
    for (const pid of pids) {
      const known = this.#seen.get(pid) ?? { kind: kindOf(pid), cpuMs: 0 };
      this.#seen.set(pid, known);
      const now = cpuMs([pid]);
      // The kernel may have given the number of a process that has ended to another one.
      this.#cpu[known.kind] += Math.max(0, now - known.cpuMs);
      known.cpuMs = now;
      memory[known.kind] += memoryMiB([pid]) * 2 ** 20;
      counts[known.kind]++;
    }
    const use = (kind: ProcessKind): ProcessUse => ({
      count: counts[kind],
      cpuSeconds: this.#cpu[kind] / 1000,
      memoryBytes: memory[kind],
    });
    return {
      main: use('main'),
      capture: use('capture'),
      output: use('output'),
      other: use('other'),
    };
  }
}

function kindOf(pid: number): ProcessKind {
  if (pid === process.pid) return 'main';
  const line = commandLine(pid);
  if (line.includes('capture-host')) return 'capture';
  return line.includes('output-host') ? 'output' : 'other';
}
