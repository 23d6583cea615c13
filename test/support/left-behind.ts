import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';

interface LeftBehind {
  readonly pid: number;
  readonly command: string;
}

/**
 * Gives all tests a temporary folder, and marks the environment of all processes that they start. Fails the run
 * if a process or a folder of a test is left when the tests have ended.
 */
export default function setup({ config }: TestProject): () => Promise<void> {
  const mark = `DEPTHLINE_TESTS=${randomUUID()}`;
  const folder = mkdtempSync(join(tmpdir(), 'depthline-tests-'));
  const sharedBefore = new Set(shared());
  const [name = '', value] = mark.split('=');
  Object.assign(process.env, { [name]: value, TMPDIR: folder });
  return async () => {
    const processes = await ended(mark);
    for (const { pid } of processes) kill(pid);
    // Where tests are chosen by their names, the hooks of files without any do not run.
    const folders = config.testNamePattern ? [] : readdirSync(folder).filter(ofTest);
    const memory = shared().filter((name) => !sharedBefore.has(name));
    // A process that has just been killed may still be writing.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    const left = [
      ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
      ...folders.map((name) => `temporary folder ${name}`),
      ...memory.map((name) => `shared memory ${name}`),
    ];
    if (left.length === 0) return;
    // What vitest reports of a teardown does not fail the run.
    process.exitCode = 1;
    throw new Error(`the tests have left behind:\n${left.join('\n')}`);
  };
}

/** Whether `mkdtemp` of Node.js has made it; what browsers and libraries leave is removed with the rest. */
function ofTest(name: string): boolean {
  return /^(?!playwright)[a-z][\w.-]*-[A-Za-z0-9]{6}$/.test(name);
}

/** Processes with the mark that have not ended after a moment. */
async function ended(mark: string): Promise<LeftBehind[]> {
  for (let tries = 0; ; tries++) {
    const processes = marked(mark);
    if (processes.length === 0 || tries === 300) return processes;
    await sleep(100);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** All processes with the mark but those of vitest itself. */
function marked(mark: string): LeftBehind[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const file = (of: string) => readFileSync(`/proc/${name}/${of}`, 'utf8');
        const status = file('status');
        const isOurs = new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status);
        if (isOurs || /^State:\s+Z/m.test(status) || !file('environ').includes(mark)) return [];
        return [{ pid: Number(name), command: file('cmdline').replaceAll('\0', ' ').trim() }];
      } catch {
        // It has gone meanwhile, or belongs to somebody else.
        return [];
      }
    });
}

function shared(): string[] {
  try {
    return readdirSync('/dev/shm').filter((name) => name.includes('depthline'));
  } catch {
    return [];
  }
}
