import type { IncomingMessage } from 'node:http';
import { isSecret } from '../http/access.ts';
import { protocol, tokenPrefix } from './live-message.ts';

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
