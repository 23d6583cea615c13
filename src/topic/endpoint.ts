import { lookup } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { readable } from '../core/printable.ts';

export type EndpointUse = 'bind' | 'connect';

/** Longest path of a Unix domain socket on Linux, bytes. */
const longestPath = 107;
const examples = 'write tcp://127.0.0.1:5556 or ipc:///path';

/** A ZeroMQ endpoint to bind or connect to. */
export function endpoint(use: EndpointUse) {
  return z.string().refine((text) => endpointProblem(text, use) === undefined, {
    error: (issue) => endpointProblem(String(issue.input), use) as string,
  });
}

/**
 * What is wrong with an endpoint, or nothing. ZeroMQ itself reads port 99999 as 34463, and waits for
 * ever for a host that has no name.
 */
export function endpointProblem(text: string, use: EndpointUse): string | undefined {
  const [, transport, address = ''] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (text.includes('\0')) return wrong(text, 'it contains a zero byte');
  switch (transport) {
    case 'tcp':
    case 'ws':
      return networkProblem(text, transport, address, use);
    case 'ipc':
      return pathProblem(text, address, use);
    case 'inproc':
      return address === '' ? wrong(text, 'the name after inproc:// is missing') : undefined;
    default:
      return readable(`"${text}" is not a ZeroMQ endpoint; ${examples}`);
  }
}

function wrong(text: string, why: string): string {
  return readable(`"${text}" is not a ZeroMQ endpoint: ${why}; ${examples}`);
}

function networkProblem(
  text: string,
  transport: string,
  address: string,
  use: EndpointUse,
): string | undefined {
  // ZeroMQ takes the address to connect from before a semicolon.
  const target = use === 'connect' ? (address.split(';').at(-1) as string) : address;
  const match = /^(\[[^[\]]*\]|[^/;[\]]*):([^:/]*)(\/.*)?$/.exec(target);
  if (!match) return wrong(text, `it needs ${transport}://HOST:PORT`);
  const [, host = '', port = '', path] = match;
  if (path !== undefined && transport === 'tcp') return wrong(text, 'a path follows the port');
  return hostProblem(text, host, use) ?? portProblem(text, port, use);
}

function hostProblem(text: string, host: string, use: EndpointUse): string | undefined {
  if (host === '' || host === '[]') return wrong(text, 'the host is missing');
  if (host === '*' && use === 'connect') {
    return wrong(text, '* is an address to bind, not to connect to');
  }
  if (host.startsWith('[')) {
    return isIPv6(host.slice(1, -1)) ? undefined : wrong(text, `${host} is not an IPv6 address`);
  }
  if (isIPv6(host)) return wrong(text, `put the IPv6 address in brackets: [${host}]`);
  const name = /^(\*|[a-z\d][\w.-]*)$/i;
  const valid = /^\d[\d.]*$/.test(host) ? isShortIPv4(host) || isIPv4(host) : name.test(host);
  return valid ? undefined : wrong(text, `"${host}" is not a host name or address`);
}

/** `127.1` for 127.0.0.1. */
function isShortIPv4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){0,2}$/.test(host);
}

function portProblem(text: string, port: string, use: EndpointUse): string | undefined {
  if (port === '*' && use === 'bind') return undefined;
  const lowest = use === 'bind' ? 0 : 1;
  const valid = /^\d{1,5}$/.test(port) && Number(port) >= lowest && Number(port) <= 65_535;
  return valid ? undefined : wrong(text, `"${port}" is not a port (1 to 65535)`);
}

function pathProblem(text: string, path: string, use: EndpointUse): string | undefined {
  if (path === '' || path === '@') return wrong(text, 'the path after ipc:// is missing');
  if (path === '*' && use === 'connect') {
    return wrong(text, '* is an address to bind, not to connect to');
  }
  if (path.startsWith('~')) return wrong(text, '~ is not expanded; write the whole path');
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestPath) return undefined;
  return wrong(text, `its path has ${bytes} bytes, and a socket's at most ${longestPath}`);
}

/** What a socket must know of the host of its endpoint before it opens. */
export interface Host {
  /**
   * ZeroMQ's `ipv6` option. It is not set for every socket: with it, ZeroMQ prefers IPv6 for names
   * that have both, and `localhost` no longer reaches a publisher on 127.0.0.1.
   */
  readonly ipv6: boolean;
  /** Set if a name cannot be resolved. ZeroMQ goes on trying. */
  readonly unresolved?: string;
}

/** Looks up the host of an endpoint to connect to. */
export async function resolveHost(text: string, use: EndpointUse): Promise<Host> {
  const host = /^(?:tcp|ws):\/\/(?:[^;]*;)?(.*):/.exec(text)?.[1];
  if (host === undefined) return { ipv6: false };
  if (host.startsWith('[')) return { ipv6: true };
  if (use === 'bind' || /^[\d.]+$/.test(host)) return { ipv6: false };
  try {
    const addresses = await lookup(host, { all: true });
    return { ipv6: addresses.every(({ family }) => family === 6) };
  } catch {
    return { ipv6: false, unresolved: host };
  }
}

/** The name of a topic. A zero byte ends it in messages of one part. */
export function topicName() {
  return z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), { error: 'must not contain a zero byte' });
}
