import { lstat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'zeromq';
import { DepthlineError, type ErrorCode, reason } from '../core/errors.ts';
import { lockName } from '../core/name-lock.ts';

/** ZeroMQ releases an address only some time after its socket was closed, milliseconds. */
const releaseMs = 500;
const pauseMs = 5;

/**
 * Binds a socket, but never one that another process has bound.
 *
 * @throws DepthlineError with this code if the address is in use or cannot be bound
 */
export async function bind(socket: Socket, endpoint: string, code: ErrorCode): Promise<void> {
  try {
    await bindWhenFree(socket, endpoint);
  } catch (error) {
    throw new DepthlineError(code, bindProblem(endpoint, error), { cause: error });
  }
}

/**
 * Connects a socket. ZeroMQ resolves names later and waits for them; only for `ws://` it does so now.
 *
 * @param unresolved the host, if its name could not be resolved
 * @throws DepthlineError with this code if ZeroMQ refuses the endpoint
 */
export function connectTo(
  socket: Connectable,
  endpoint: string,
  unresolved: string | undefined,
  code: ErrorCode,
): void {
  try {
    socket.connect(endpoint);
  } catch (error) {
    const why = unresolved === undefined ? reason(error) : `no host is called "${unresolved}"`;
    throw new DepthlineError(code, `${endpoint} cannot be connected to: ${why}`, { cause: error });
  }
}

interface Connectable {
  connect(endpoint: string): void;
}

/** Binds; waits a moment for an address that this process has just closed. */
export async function bindWhenFree(socket: Socket, endpoint: string): Promise<void> {
  const path = socketPath(endpoint);
  for (let waited = 0; ; waited += pauseMs) {
    try {
      return path === undefined
        ? await socket.bind(endpoint)
        : await bindPath(path, () => socket.bind(endpoint));
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE' || waited >= releaseMs) throw error;
    }
    await sleep(pauseMs);
  }
}

/** The file of an `ipc://` endpoint; abstract names and `*` have none that could be taken. */
function socketPath(endpoint: string): string | undefined {
  const path = /^ipc:\/\/([^@].*)$/s.exec(endpoint)?.[1];
  return path === undefined || path === '*' ? undefined : resolve(path);
}

/** One at a time: of two that find the path free, the second would take it from the first. */
async function bindPath(path: string, act: () => Promise<void>): Promise<void> {
  const release = await lockName(dirname(path), `bind ${basename(path)}`);
  if (!release) throw inUse();
  try {
    await checkPath(path);
    await act();
  } finally {
    await release();
  }
}

/** ZeroMQ deletes whatever is at the path before it binds: a live socket, or any other file. */
async function checkPath(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return;
  if (!stats.isSocket()) throw Object.assign(new Error('not a socket'), { code: 'EEXIST' });
  if (await accepts(path)) throw inUse();
}

function inUse(): Error {
  return Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
}

/** Whether a process accepts connections at this socket; one that has died left only the file. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', (error) => {
        const code = errorCode(error);
        if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
        // The process is busy; its queue of connections is full.
        else if (code === 'EAGAIN') resolve(true);
        else reject(error);
      });
  });
}

function errorCode(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

function bindProblem(endpoint: string, error: unknown): string {
  const file = endpoint.startsWith('ipc:');
  switch (errorCode(error)) {
    case 'EADDRINUSE': {
      const other = file ? 'path' : endpoint.startsWith('inproc:') ? 'name' : 'port';
      return `${endpoint} is in use by another process; stop it or choose another ${other}`;
    }
    case 'EEXIST':
      return `${endpoint} cannot be bound: a file that is not a socket is there; remove it or choose another path`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to bind ${endpoint}; choose ${file ? 'another path' : 'a port above 1023'}`;
    // ZeroMQ's for the interface behind the % of an IPv6 address.
    case 'EINVAL':
    case 'ENODEV':
    case 'EADDRNOTAVAIL':
      return `${endpoint} cannot be bound: this machine has no such address or interface`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `${endpoint} cannot be bound: its directory does not exist; create it`;
    case 'EAFNOSUPPORT':
      return `${endpoint} cannot be bound: this machine has no IPv6`;
    default:
      return `${endpoint} cannot be bound: ${reason(error)}`;
  }
}
