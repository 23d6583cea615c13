import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../core/loopback.ts';
import { protocol, tokenPrefix } from './live-message.ts';

/**
 * Why a request is refused; `undefined` if it is not. A server on loopback answers only to names of
 * loopback: another site whose name was made to point here (DNS rebinding) would otherwise pass as
 * the same origin.
 */
export function hostProblem(request: IncomingMessage, boundTo: string): string | undefined {
  const { host } = request.headers;
  if (host === undefined) return 'a request without a Host header';
  if (isLoopback(boundTo) && !isLoopback(host.replace(/:\d+$/, '')))
    return 'a host name that is not of this machine; set "host" to serve others';
  return undefined;
}

/** The same for a WebSocket connection, which only the page itself may open. */
export function originProblem(request: IncomingMessage): string | undefined {
  const { origin, host } = request.headers;
  if (origin === `http://${host}` || origin === `https://${host}`) return undefined;
  return 'a connection from another origin';
}

/** True if no token is needed, or the request has the right one. */
export function hasToken(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const offered = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim());
  const given = offered.find((name) => name.startsWith(tokenPrefix))?.slice(tokenPrefix.length);
  if (given === undefined) return false;
  return timingSafeEqual(digest(Buffer.from(given, 'base64url')), digest(Buffer.from(token)));
}

export function speaks(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === protocol);
}

// Of equal length, so that the comparison takes the same time for every guess.
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
