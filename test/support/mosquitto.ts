import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Running, startProcess } from './cli.ts';
import { freePort } from './free-port.ts';
import { until } from './gstreamer.ts';

const unpacked = fileURLToPath(new URL('../../out/packages/mosquitto/usr/sbin/', import.meta.url));
const program = [unpacked, '/usr/sbin/']
  .map((folder) => join(folder, 'mosquitto'))
  .find((path) => existsSync(path));

/** Whether Debian's broker is here. */
export const hasMosquitto = program !== undefined && existsSync('/usr/bin/mosquitto_sub');

export interface Broker {
  readonly port: number;
  readonly url: string;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again on the same port; it has forgotten everything. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts Debian's Mosquitto. @param lines of its configuration, besides the port */
export async function startBroker(
  lines: readonly string[] = ['allow_anonymous true'],
): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-mosquitto-'));
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, [`listener ${port} 127.0.0.1`, 'user root', ...lines, ''].join('\n'));
  let running: Running;
  const start = async () => {
    running = startProcess(program as string, ['-c', file], { withinMs: 300_000 });
    for (const end = performance.now() + 45_000; !(await answers(port)); ) {
      if (running.child.exitCode !== null || performance.now() > end)
        throw new Error(`mosquitto does not answer: ${running.stderr}`);
      await sleep(10);
    }
  };
  const kill = async () => {
    running.child.kill('SIGKILL');
    await running.finished;
  };
  await start();
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port, url: `mqtt://127.0.0.1:${port}`, kill, start, stop };
}

export interface Message {
  readonly topic: string;
  readonly retained: boolean;
  readonly payload: string;
}

/** Debian's mosquitto_sub: every message below a topic, until it is stopped. */
export async function listen({ port }: Broker, topic = '#') {
  const args = ['-p', `${port}`, '-t', topic, '-v', '-q', '2', '-d', '-F', '%r %t %p'];
  const running = startProcess('/usr/bin/stdbuf', ['-oL', '/usr/bin/mosquitto_sub', ...args], {
    withinMs: 300_000,
  });
  await until(() => /SUBACK/.test(running.stdout));
  const messages = (): Message[] => {
    // The last line may not be complete yet.
    const lines = running.stdout.slice(0, running.stdout.lastIndexOf('\n') + 1);
    return [...lines.matchAll(/^([01]) (\S+) (.*)$/gm)].map(([, retained, topic, payload]) => ({
      topic: topic as string,
      retained: retained === '1',
      payload: payload as string,
    }));
  };
  return {
    messages,
    /** The payloads of a topic, in order. */
    of: (topic: string) => messages().flatMap((one) => (one.topic === topic ? [one.payload] : [])),
    async stop() {
      running.child.kill('SIGKILL');
      await running.finished;
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
