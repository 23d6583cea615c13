import { readdirSync } from 'node:fs';
import { measured } from '../../src/benchmark/statistics.ts';

/** What does not belong to the first quarter of a run, when code is compiled and buffers are made. */
export function settledOf<T extends { minute: number }>(all: readonly T[], minutes: number): T[] {
  return all.filter(({ minute }) => minute > minutes / 4);
}

/** Median of each quarter of a run of so many minutes. */
export function quarters(all: readonly { minute: number; mib: number }[], minutes: number): string {
  const medians = [0, 1, 2, 3].map((quarter) => {
    const within = all.filter(({ minute }) => Math.floor((4 * minute) / minutes) === quarter);
    return within.length > 0 ? measured(within.map(({ mib }) => mib)).median.toFixed(0) : '–';
  });
  return medians.join(' ');
}

/** Open files and sockets of a process; 0 if it has exited. */
export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
