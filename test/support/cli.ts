import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { until } from './gstreamer.ts';

export const bin = fileURLToPath(new URL('../../bin/depthline', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What has been printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  readonly finished: Promise<Finished>;
  /** Stands in the environment of all its processes. */
  readonly mark: string;
}

export interface RunSettings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** It is killed when it takes longer, milliseconds. */
  readonly withinMs?: number;
}

const folders: string[] = [];
const children = new Set<ChildProcess>();
afterAll(() => {
  // A test that failed did not wait for its command.
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder for one test, gone when all of its file have ended. */
export function workplace(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-cli-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A folder like a user's project: modules in it find the packages that they import. */
export function projectFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = workplace(files);
  mkdirSync(join(folder, 'node_modules'));
  const link = (name: string, to: string) => symlinkSync(to, join(folder, 'node_modules', name));
  link('depthline', packageDirectory());
  for (const name of ['rxjs', 'zod']) link(name, join(packageDirectory(), 'node_modules', name));
  return folder;
}

/** Starts the command as a user does. */
export function start(args: readonly string[], settings: RunSettings = {}): Running {
  return startProcess(bin, args, settings);
}

export function startProcess(
  command: string,
  args: readonly string[],
  { cwd, env, withinMs = 100_000 }: RunSettings = {},
): Running {
  const mark = `TEST_RUN=${randomUUID()}`;
  const environment = { ...process.env, DISPLAY: undefined, ...env, TEST_RUN: mark };
  const child = spawn(command, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const finished = (async () => {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    return { code, signal, ...output };
  })();
  return {
    child,
    finished,
    mark,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
  };
}

/** Waits until the command has printed this on its error output, and returns the match. */
export async function printed(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  let match: RegExpExecArray | null = null;
  await until(() => {
    match = pattern.exec(running.stderr);
    return match !== null || running.child.exitCode !== null || running.child.signalCode !== null;
  });
  // What it has printed at last may come after the news that it has ended.
  if (!match) await running.finished;
  match = pattern.exec(running.stderr);
  if (!match) throw new Error(`ended without ${pattern}: ${running.stderr}`);
  return match;
}

/** Runs the command to its end. */
export function depthline(args: readonly string[], settings?: RunSettings): Promise<Finished> {
  return start(args, settings).finished;
}

/** What `--stats json` ends with. */
export interface Summary {
  readonly type: 'summary';
  readonly captured: number;
  readonly fps: number;
  readonly latencyMs?: { p50: number; p95: number; p99: number };
  readonly branches: readonly {
    name: string;
    captured: number;
    added: number;
    delivered: number;
    dropped: { stage: string; reason: string; count: number }[];
    failed: number;
  }[];
  readonly components: Readonly<Record<string, Record<string, unknown>>>;
  readonly restarts: readonly { stage: string; count: number }[];
  readonly error?: { code: string; at: string; message: string };
}

/** The objects that `--stats json` has printed so far; the last is the newest. */
export function reportsOf({ stdout }: Pick<Running, 'stdout'>): Summary[] {
  // The last line may not be complete yet.
  const lines = stdout.split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Summary);
}

/** Frames that a branch of a run with `--stats json` has delivered so far; the first if none is named. */
export function deliveredOf(running: Running, name?: string): number {
  const branches = reportsOf(running).at(-1)?.branches ?? [];
  const branch = name === undefined ? branches[0] : branches.find((one) => one.name === name);
  return branch?.delivered ?? 0;
}

export function summaryOf({ stdout, stderr }: Finished): Summary {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(last) as Summary;
  } catch {
    throw new Error(`no summary in "${stdout}", stderr "${stderr}"`);
  }
}

/** captured − delivered − dropped − failed, of each branch. */
export function imbalances({ branches }: Summary): number[] {
  return branches.map(({ captured, added, delivered, dropped, failed }) => {
    const lost = dropped.reduce((sum, { count }) => sum + count, 0);
    return captured + added - delivered - lost - failed;
  });
}

/** Processes that a command has started and left behind; those that are about to end get a moment. */
export async function leftBehind({ mark }: Running): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const left = marked(mark);
    if (left.length === 0 || tries === 200) return left;
    await sleep(100);
  }
}

function marked(mark: string): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.flatMap((pid) => {
    try {
      const file = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
      const ours = file('environ').includes(mark) && !/^State:\s+Z/m.test(file('status'));
      return ours ? [file('cmdline').replaceAll('\0', ' ')] : [];
    } catch {
      // It has gone meanwhile.
      return [];
    }
  });
}
