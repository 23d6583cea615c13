import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../core/loopback.ts';

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

/** Why a request is refused that only a page of this server may make. */
export function originProblem(request: IncomingMessage): string | undefined {
  const { origin, host } = request.headers;
  if (origin === `http://${host}` || origin === `https://${host}`) return undefined;
  return 'a connection from another origin';
}

/** Compares in the same time for every guess. */
export function isSecret(given: Buffer | string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

// Of equal length, as the comparison demands.
function digest(bytes: Buffer | string): Buffer {
  return createHash('sha256').update(bytes).digest();
}
