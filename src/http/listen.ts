import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reason } from '../core/errors.ts';

/** Where a server listens. */
export interface Place {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Resolves to the address, with the port that was taken: `http://127.0.0.1:9464/`. */
export async function listen(server: Server, { host, port }: Place): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const taken = (server.address() as AddressInfo).port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${taken}/`;
}

/** Why a server cannot listen, and which option to change. */
export function listenProblem(error: unknown, { host, port }: Place): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `port ${port} is in use; set another "port"`;
  if (code === 'EACCES') return `port ${port} needs root; set a "port" above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `"${host}" is not an address of this machine; set "host" to one of its addresses, or to 0.0.0.0 for all of them`;
  return `${host}:${port} cannot be opened: ${reason(error)}`;
}
