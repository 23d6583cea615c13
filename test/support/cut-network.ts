import { execFileSync } from 'node:child_process';
import { createConnection, createServer, type Socket } from 'node:net';
import { freeEndpoint } from './topic.ts';

/** A network between two servers that can be cut. */
export interface CutNetwork {
  /** What starts a program at the far end: the words before its command line. */
  readonly inside: readonly string[];
  /** Where the hub listens, as it sees itself. */
  readonly hubAddress: string;
  readonly hubPort: number;
  /** Where the leaf finds it. */
  readonly leafTarget: string;
  cut(): void;
  restore(): void;
  close(): void;
}

/** Two network namespaces where this process may make them, else a proxy that stops forwarding. */
export async function cutNetwork(): Promise<CutNetwork> {
  const name = `dl${process.pid % 100_000}`;
  const near = `${name}a`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe', timeout: 60_000 });
  // Of the range for documentation, so that it is no address of the machine.
  const [nearAddress, farAddress] = ['198.51.100.1', '198.51.100.2'];
  try {
    ip('netns', 'add', name);
  } catch {
    return proxied();
  }
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', 'far', 'netns', name);
    ip('addr', 'add', `${nearAddress}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', name, 'addr', 'add', `${farAddress}/30`, 'dev', 'far');
    ip('-n', name, 'link', 'set', 'far', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch {
    ip('netns', 'del', name);
    return proxied();
  }
  return {
    inside: ['ip', 'netns', 'exec', name],
    hubAddress: farAddress,
    hubPort: 7422,
    leafTarget: `${farAddress}:7422`,
    cut: () => void ip('link', 'set', near, 'down'),
    restore: () => void ip('link', 'set', near, 'up'),
    close: () => void ip('netns', 'del', name),
  };
}

async function proxied(): Promise<CutNetwork> {
  const hub = Number(new URL(await freeEndpoint()).port);
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((near) => {
    if (!open) {
      near.destroy();
      return;
    }
    const far = createConnection(hub, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
      one.on('data', (bytes) => open && other.write(bytes));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    inside: [],
    hubAddress: '127.0.0.1',
    hubPort: hub,
    leafTarget: `127.0.0.1:${port}`,
    cut: () => {
      open = false;
      for (const socket of sockets) socket.destroy();
    },
    restore: () => {
      open = true;
    },
    close: () => server.close(),
  };
}
