import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startProcess } from './cli.ts';
import { freePort } from './free-port.ts';
import { until } from './gstreamer.ts';

/** Whether Debian's packages of ROS 1 are installed. */
export const hasRos1 = ['roscore', 'rostopic', 'rosbag'].every((name) =>
  existsSync(`/usr/bin/${name}`),
);

export interface Master {
  readonly uri: string;
  /** Environment of programs that belong to it. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

/**
 * Starts `roscore`; it is stopped when the test ends, at the latest.
 *
 * @param atEnd registers that; for a master of several tests nothing, which `afterAll` stops
 */
export async function startMaster(
  port?: number,
  atEnd: (stop: () => Promise<void>) => void = onTestFinished,
): Promise<Master> {
  const home = mkdtempSync(join(tmpdir(), 'depthline-ros-'));
  const own = port ?? (await freePort());
  const uri = `http://127.0.0.1:${own}`;
  const env = { ...process.env, ROS_MASTER_URI: uri, ROS_HOME: home, ROS_IP: '127.0.0.1' };
  const { child, finished } = startProcess('/usr/bin/roscore', ['-p', String(own)], {
    env,
    // Killed, it would leave rosmaster behind.
    withinMs: 300_000,
  });
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    child.kill('SIGINT');
    await finished;
    // It may leave rosmaster and rosout behind, which have groups of their own; their log is below `home`.
    spawnSync('pkill', ['-KILL', '-f', home], { timeout: 60_000 });
    rmSync(home, { recursive: true, force: true });
  };
  atEnd(stop);
  let up = false;
  const probe = () => {
    const socket = connect(own, '127.0.0.1');
    socket.once('connect', () => {
      up = true;
      socket.destroy();
    });
    socket.once('error', () => setTimeout(probe, 50));
  };
  probe();
  await until(() => up);
  return { uri, env, stop };
}

/** Runs a script of this folder with Debian's Python; it gets SIGINT when the test ends. */
export function rospy(script: string, args: readonly string[], { env }: Master) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return program('/usr/bin/python3', ['-u', path, ...args], env);
}

/** Runs a program of ROS; it gets SIGINT when the test ends. */
export function program(path: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const running = startProcess(path, [...args], { env });
  const stop = async () => {
    running.child.kill('SIGINT');
    await running.finished;
  };
  onTestFinished(stop);
  return { running, stop };
}

/** What a script has printed, a value of JSON per line. */
export function printed<T>({ running }: ReturnType<typeof program>): T[] {
  return running.stdout
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T);
}
