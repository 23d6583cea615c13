import type { IncomingMessage } from 'node:http';

/** Largest body that is read, bytes. */
const mostBytes = 65_536;

/** The body of a request; `undefined` if it is too long. Rejects if the client disconnects before its end. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += (part as Buffer).length;
    if (bytes > mostBytes) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
