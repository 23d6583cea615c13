import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback } from '../core/loopback.ts';
import { hostProblem, isSecret, originProblem } from '../http/access.ts';
import { protocol, tokenPrefix } from './live-message.ts';

/** Whom a page is for. */
export interface Audience {
  /** Address that the server listens on. */
  readonly host: string;
  /** Origins of the page besides the server's own address: `https://robot.example`. */
  readonly origins: readonly string[];
  readonly token?: string | undefined;
}

/**
 * Why a request is refused; `undefined` if it is not. A site whose name was made to point here (DNS
 * rebinding) would pass as the page's own origin, so a name must be one that nobody else can have.
 * With a token the name does not matter: such a site does not know it.
 */
export function nameProblem(request: IncomingMessage, audience: Audience): string | undefined {
  const { host, origins, token } = audience;
  const name = request.headers.host?.replace(/:\d+$/, '').toLowerCase();
  if (origins.some((origin) => new URL(origin).hostname === name)) return undefined;
  const problem = hostProblem(request, host);
  if (problem !== undefined) return problem;
  if (token !== undefined || isOwn(name as string)) return undefined;
  return `"${name}" may be a name of others; open the page by the address of the machine, set "token", or list the page's address in "origins"`;
}

/** An address, a name that is only known in the local network, or the name of this machine. */
function isOwn(name: string): boolean {
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || isLoopback(name)) return true;
  return !name.includes('.') || name.endsWith('.local') || name === hostname().toLowerCase();
}

/** Why a connection is refused that only the page itself may open. */
export function connectionProblem(
  request: IncomingMessage,
  audience: Audience,
): string | undefined {
  const { origin } = request.headers;
  if (origin !== undefined && audience.origins.includes(origin)) return undefined;
  return originProblem(request);
}

/** True if no token is needed, or the request has the right one. */
export function hasToken(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const offered = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim());
  const given = offered.find((name) => name.startsWith(tokenPrefix))?.slice(tokenPrefix.length);
  if (given === undefined) return false;
  return isSecret(Buffer.from(given, 'base64url'), token);
}

export function speaks(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === protocol);
}
