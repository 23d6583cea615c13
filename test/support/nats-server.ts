import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type JetStreamManager, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Frame } from '../../src/core/frame.ts';
import { encodeFrame, packMessage } from '../../src/topic/message.ts';
import { freePort } from './free-port.ts';

const unpacked = fileURLToPath(
  new URL('../../out/packages/nats-server/usr/sbin/nats-server', import.meta.url),
);

/** Debian's nats-server; undefined where it cannot be had. */
export const natsServerPath = [unpacked, '/usr/sbin/nats-server'].find((path) => existsSync(path));

/** A server with JetStream on a free port, and a folder of its own. */
export interface NatsServer {
  /** `nats://127.0.0.1:PORT`, the same after a restart. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** Of its process. */
  readonly pid: number;
  /** As the machine's loss of power would. */
  kill(): Promise<void>;
  /** On the same port, with what it has stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface StartOptions {
  /** Of JetStream; servers that are connected need different ones. */
  readonly domain?: string;
  /** Words before the command line of the server. */
  readonly run?: readonly string[];
}

/** @param config further lines of the configuration; host, port and JetStream are set */
export async function startNats(
  config = '',
  { domain, run = [] }: StartOptions = {},
): Promise<NatsServer> {
  if (natsServerPath === undefined)
    throw new Error('nats-server is not here; "make test" unpacks it');
  const folder = mkdtempSync(join(tmpdir(), 'depthline-nats-'));
  // None that the system gives to whoever asks for any: it must still be free at a restart.
  const port = await freePort();
  let child: ChildProcess;
  const start = async () => {
    const file = join(folder, 'nats.conf');
    writeFileSync(
      file,
      `host: 127.0.0.1
port: ${port}
jetstream { store_dir: "${folder}/js"${domain === undefined ? '' : `, domain: ${domain}`} }
${config}
`,
    );
    const [program, ...args] = [...run, natsServerPath as string, '-c', file] as unknown as [
      string,
      ...string[],
    ];
    child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const log: string[] = [];
    child.stderr?.setEncoding('utf8');
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (text: string) => {
        log.push(text);
        if (log.join('').includes('Server is ready')) resolve();
      });
      child.once('exit', () => reject(new Error(log.join(''))));
    });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    folder,
    get pid() {
      return child.pid as number;
    },
    kill: () => end('SIGKILL'),
    restart: start,
    stop: async () => {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A client of the test itself. */
export async function natsClient(
  server: NatsServer,
  domain?: string,
): Promise<{ nats: NatsConnection; manager: JetStreamManager }> {
  const nats = await connect({ servers: `127.0.0.1:${server.port}`, maxReconnectAttempts: -1 });
  const options = domain === undefined ? {} : { domain, checkAPI: false };
  return { nats, manager: await jetstreamManager(nats, options) };
}

/** All messages of a stream, first to last. */
export async function storedIn(manager: JetStreamManager, stream: string): Promise<StoredMsg[]> {
  const { state } = await manager.streams.info(stream);
  const all: StoredMsg[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
    const message = await manager.streams.getMessage(stream, { seq }).catch(() => null);
    if (message) all.push(message);
  }
  return all;
}

/** Messages in a stream; 0 where there is none. */
export async function storedCount(server: NatsServer, stream: string): Promise<number> {
  const { nats, manager } = await natsClient(server);
  const info = await manager.streams.info(stream).catch(() => undefined);
  await nats.close();
  return info?.state.messages ?? 0;
}

/** Publishes a frame as another program would, without an id. */
export function publishFrame(nats: NatsConnection, subject: string, frame: Frame): void {
  const options = { encoding: '32FC1', publishedAt: frame.capturedAt, dropped: 0 } as const;
  const { header, payload } = encodeFrame(frame, options);
  nats.publish(subject, packMessage('single', subject, header, payload)[0]);
}
