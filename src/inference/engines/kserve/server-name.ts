import type { KServeChoice } from '../choice.ts';

/** The server in messages, without credentials. */
export function serverName({ url }: Pick<KServeChoice, 'url'>): string {
  const { protocol, host, pathname } = new URL(url);
  return `the inference server ${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** True if the server is asked over gRPC. */
export function isGrpc({ url }: Pick<KServeChoice, 'url'>): boolean {
  return url.startsWith('grpc');
}
