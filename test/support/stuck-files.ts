import { readdirSync, readFileSync } from 'node:fs';
import type { TestModule, TestProject } from 'vitest/node';
import { javascriptStack } from './javascript-stack.ts';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly ageMs: number;
  readonly command: string;
}

const isLongForm = process.env.FUZZ_RUNS !== undefined || process.env.FAULT_ROUNDS !== undefined;

/** Many times what any test file takes: one that runs for so long has stopped for ever. */
const longestMs = (isLongForm ? 7200 : 600) * 1000;

/**
 * Ends a test file that no deadline of vitest can end, because its thread waits inside a call: for a program that does
 * not end, or in native code. First what it has started is killed, so that the call fails where the test made it, then
 * the process of the file. Without this, the run would wait for ever and name nothing.
 */
export default function setup({ vitest }: TestProject): () => void {
  const reports: string[] = [];
  const seen = new Set<number>();
  let ended = 0;
  let endedAt = performance.now();
  const look = async () => {
    const all = processes();
    const modules = vitest.state.getTestModules();
    const running = modules.filter((module) => ['queued', 'pending'].includes(module.state()));
    if (modules.length - running.length !== ended) {
      ended = modules.length - running.length;
      endedAt = performance.now();
    } else if (performance.now() - endedAt > 2 * longestMs) {
      // What was killed has not helped: vitest itself waits.
      console.error(
        ['no test file ends any more, vitest waits for:', ...names(running)].join('\n'),
      );
      process.exit(1);
    }
    for (const worker of all.filter(isStuck)) {
      const started = descendants(worker.pid, all);
      const report = [
        `a test file has not ended after ${longestMs / 1000} s, one of:`,
        ...names(running),
        'its processes:',
        ...[worker, ...started].map(described),
        'its JavaScript:',
        ...(await javascriptStack(worker.pid).catch((error) => [`not known: ${error}`])),
      ].join('\n');
      console.error(report);
      if (!seen.has(worker.pid)) reports.push(report);
      const victims = seen.has(worker.pid) || started.length === 0 ? [worker] : started;
      seen.add(worker.pid);
      for (const { pid } of victims) kill(pid);
    }
  };
  const timer = setInterval(() => void look(), 30_000);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (reports.length === 0) return;
    // What vitest reports of a teardown does not fail the run.
    process.exitCode = 1;
    throw new Error(reports.join('\n'));
  };
}

function names(modules: readonly TestModule[]): string[] {
  return modules.map(({ relativeModuleId }) => `  ${relativeModuleId}`);
}

/** A process, and what its main thread waits for in the kernel. */
function described({ pid, state, command }: ProcessEntry): string {
  let waits = '';
  try {
    waits = readFileSync(`/proc/${pid}/wchan`, 'utf8');
  } catch {
    // It has ended meanwhile.
  }
  return `  ${pid} ${state} ${waits} ${command.slice(-80)}`;
}

/** Whether it runs one test file, as a child of this process, and for too long. */
function isStuck({ parent, command, ageMs }: ProcessEntry): boolean {
  return parent === process.pid && command.includes('vitest') && ageMs > longestMs;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function descendants(of: number, all: readonly ProcessEntry[]): ProcessEntry[] {
  return all
    .filter(({ parent }) => parent === of)
    .flatMap((child) => [child, ...descendants(child.pid, all)]);
}

/** All processes; proc_pid_stat(5) describes the fields. */
function processes(): ProcessEntry[] {
  const uptimeMs = Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state = '', parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        // Field 22, in hundredths of a second on Linux.
        const startedMs = Number(rest[17]) * 10;
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [
          {
            pid: Number(name),
            parent: Number(parent),
            state,
            ageMs: uptimeMs - startedMs,
            command,
          },
        ];
      } catch {
        return [];
      }
    });
}
