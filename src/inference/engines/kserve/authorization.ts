import type { KServeChoice } from '../choice.ts';

/** The Authorization header: that of the options, else user and password of the address. Secret. */
export function authorizationOf({ authorization, url }: KServeChoice): string | undefined {
  if (authorization !== undefined) return authorization;
  const { username, password } = new URL(url);
  if (username === '') return undefined;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
