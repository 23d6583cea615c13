import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { DepthlineError } from '../core/errors.ts';
import { listenHost, listenPort } from '../core/listen-options.ts';
import { isLoopback } from '../core/loopback.ts';
import { addSecret } from '../core/secrets.ts';

const shortestToken = 8;
const longestToken = 256;

/** `serve:` of a pipeline file. */
export const serveSchema = z.strictObject({
  port: listenPort(9464, 'of metrics, health and commands'),
  host: listenHost(),
  token: z
    .string()
    .min(shortestToken)
    .max(longestToken)
    .regex(/^[\x21-\x7e]+$/, { error: 'must be ASCII letters, digits and signs, without spaces' })
    .optional()
    .describe('secret that requests must carry: "Authorization: Bearer TOKEN"'),
  snapshots: z
    .string()
    .min(1)
    .optional()
    .describe('folder for snapshots that are asked for with "to=directory"; it must exist'),
});

export type ServeOptions = z.output<typeof serveSchema>;

/** Takes the token where the file has none: arguments of a process are visible to every user. */
export const tokenVariable = 'DEPTHLINE_SERVE_TOKEN';

/**
 * What `--serve` and the pipeline file say together; `undefined` if a run is not to be served.
 *
 * @param address `127.0.0.1:9464`, `:9464` or `9464`; replaces host and port of the file, or the port alone
 * @throws DepthlineError `CONFIG` if the address or the token of the environment is not valid
 */
export function serveOptions(
  address: string | undefined,
  file: ServeOptions | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ServeOptions | undefined {
  if (address === undefined && file === undefined) return undefined;
  const place = address === undefined ? {} : parseAddress(address);
  const token = file?.token ?? tokenFrom(env);
  return {
    ...serveSchema.parse({}),
    ...file,
    ...place,
    ...(token !== undefined && { token }),
  };
}

/** A warning if everyone on the network can connect. */
export function serveWarnings({ host, port, token }: ServeOptions): string[] {
  if (isLoopback(host) || token !== undefined) return [];
  return [
    `${host}:${port} is open to the network without a token; set token or ${tokenVariable}, or listen on 127.0.0.1`,
  ];
}

function parseAddress(text: string): Partial<ServeOptions> {
  const match = /^(?:(\[[\da-f:.]+\]|[^:[\]\s]*):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) {
    const example = bracketed(text) ?? 'write it as host:port, such as 127.0.0.1:9464';
    throw new DepthlineError('CONFIG', `--serve ${text}: ${example}`);
  }
  const host = match[1]?.replace(/^\[|\]$/g, '');
  return host ? { host, port } : { port };
}

/** What to write instead of an IPv6 address without brackets. */
function bracketed(text: string): string | undefined {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  const advice = (address: string) => `write an IPv6 address in brackets: ${address}`;
  if (isIPv6(host)) return advice(`[${host}]:${port}`);
  return isIPv6(text) ? advice(`[${text}]:9464`) : undefined;
}

// An empty or short token is a mistake, not the wish to have none.
function tokenFrom(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const token = env[tokenVariable];
  if (token === undefined) return undefined;
  addSecret(token);
  if (serveSchema.shape.token.safeParse(token).success) return token;
  const message = `${tokenVariable} must have ${shortestToken} to ${longestToken} ASCII characters, without spaces; unset it to serve without a token`;
  throw new DepthlineError('CONFIG', message);
}
