import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import type { ComponentContext } from '../core/component-context.ts';
import { DepthlineError, type ErrorCode, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import type { ConnectOptions } from './connect-options.ts';

const connectMs = 5000;
/** Between two attempts to reconnect, milliseconds; without end. */
const reconnectMs = 250;
/** A server that does not answer two pings is taken for lost, milliseconds. */
const pingMs = 5000;

/** A connection that reconnects by itself, and tells when. */
export interface Connection {
  readonly nats: NatsConnection;
  readonly server: string;
  /** False from the loss of the connection until it is back. */
  readonly connected: boolean;
  /** Calls back on every change; returns a function that ends that. */
  onChange(told: (connected: boolean) => void): () => void;
  /** Resolves when it has ended for good: with the reason, unless this end closed it. */
  readonly ended: Promise<Error | undefined>;
}

/**
 * Connects to a NATS server.
 *
 * @param code of the error if that fails, with what to do
 */
export async function openConnection(
  options: ConnectOptions,
  context: ComponentContext,
  code: ErrorCode,
): Promise<Connection> {
  const { connect } = await import('@nats-io/transport-node');
  const servers = options.servers.join(', ');
  let nats: NatsConnection;
  try {
    nats = await connect(await settings(options, context));
  } catch (error) {
    throw new DepthlineError(code, `cannot connect to ${servers}: ${advice(error)}`, {
      cause: error,
    });
  }
  context.defer(() => nats.close());
  const watched = new Watched(nats, options.servers);
  watched.onChange((connected) => {
    if (connected) context.log.info(`connected to ${nats.getServer()} again`);
    else context.log.warn(`the connection to ${servers} is lost; reconnecting`);
  });
  return watched;
}

async function settings(
  { servers, user, password, token, nkey, tls }: ConnectOptions,
  { baseDirectory, name }: ComponentContext,
): Promise<NodeConnectionOptions> {
  const { nkeyAuthenticator } = await import('@nats-io/transport-node');
  const read = (path: string | undefined) =>
    path === undefined ? undefined : readFile(resolvePath(baseDirectory, path), 'utf8');
  const [ca, cert, key] = await Promise.all([read(tls?.ca), read(tls?.cert), read(tls?.key)]);
  return {
    servers: servers.map((one) => one.replace(/^\w+:\/\//, '')),
    name: `depthline ${name}`,
    timeout: connectMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectMs,
    pingInterval: pingMs,
    // Credentials of a run do not change: what was refused once is refused again.
    ignoreAuthErrorAbort: false,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(nkey !== undefined && { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkey)) }),
    ...((tls ?? servers.some((one) => one.startsWith('tls:'))) && {
      tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), ...identity(servers) },
    }),
  };
}

/**
 * For a server that is named by its IP address the client gives Node.js no name to compare, which then
 * expects a certificate of "localhost". It must be one of the addresses in the options.
 */
function identity(servers: readonly string[]) {
  const hosts = servers.map((one) => new URL(one.replace(/^\w+:/, 'http:')).hostname);
  const addresses = hosts
    .map((host) => host.replace(/^\[|\]$/g, ''))
    .filter((host) => isIP(host) !== 0);
  if (addresses.length === 0 || hosts.includes('localhost')) return {};
  return {
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined {
      const names = name === 'localhost' ? addresses : [name];
      const results = names.map((one) => checkServerIdentity(one, certificate));
      return results.includes(undefined) ? undefined : results[0];
    },
  };
}

class Watched implements Connection {
  readonly nats: NatsConnection;
  readonly server: string;
  readonly ended: Promise<Error | undefined>;
  connected = true;
  readonly #told = new Set<(connected: boolean) => void>();

  constructor(nats: NatsConnection, servers: readonly string[]) {
    this.nats = nats;
    this.server = servers.join(', ');
    this.ended = nats.closed().then((error) => error ?? undefined);
    void this.#follow();
  }

  onChange(told: (connected: boolean) => void): () => void {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  async #follow(): Promise<void> {
    for await (const { type } of this.nats.status()) {
      if (type === 'disconnect') this.#set(false);
      else if (type === 'reconnect') this.#set(true);
    }
  }

  #set(connected: boolean): void {
    if (this.connected === connected) return;
    this.connected = connected;
    for (const told of [...this.#told]) told(connected);
  }
}

/** What went wrong, and what to do. */
function advice(error: unknown): string {
  const text = causes(error);
  if (/ECONNREFUSED|connection refused/i.test(text))
    return 'connection refused; start nats-server there, or correct "servers"';
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return 'no host has this name; correct "servers"';
  if (/authorization|authentication/i.test(text))
    return 'it refuses these credentials; check user, password, token or nkey';
  if (/certificate|self.signed|unable to verify|altnames|tls|ssl/i.test(text))
    return `${text}; check "tls"`;
  if (/timeout/i.test(text))
    return `no answer within ${connectMs / 1000} s; check the address, and whether it is a NATS server`;
  return text;
}

function causes(error: unknown): string {
  const texts: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const { code } = one as NodeJS.ErrnoException;
    const text = reason(one) || String(code ?? one.name);
    texts.push(code !== undefined && !text.includes(String(code)) ? `${text} (${code})` : text);
  }
  return [...new Set(texts)].join(': ') || String(error);
}
