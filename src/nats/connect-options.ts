import { z } from 'zod';
import type { PathUse } from '../core/component-facts.ts';
import { isLoopback } from '../core/loopback.ts';
import { resolvePath } from '../core/resolve-path.ts';

const exampleServer = 'nats://127.0.0.1:4222';
const file = (what: string) => z.string().min(1).optional().describe(`${what}, PEM file`);
const secret = () => z.string().min(1).max(4096);

function serverProblem(text: string): string | undefined {
  const match = /^(nats|tls):\/\/([^/?#]*)$/.exec(text);
  if (!match) return `is not the address of a NATS server; write ${exampleServer}`;
  const [, , authority = ''] = match;
  if (authority.includes('@')) return 'must not hold credentials; use "user" and "password"';
  const host = /^(\[[\da-f:.]+\]|[a-z\d][\w.-]*)(?::(\d{1,5}))?$/i.exec(authority);
  const port = Number(host?.[2] ?? 4222);
  return host && port > 0 && port < 65_536
    ? undefined
    : `has no valid host and port; write ${exampleServer}`;
}

const server = z.string().refine((text) => serverProblem(text) === undefined, {
  error: (issue) => serverProblem(String(issue.input)) as string,
});

/** Options of everything that connects to a NATS server. */
export const connectOptions = {
  servers: z
    .union([server.transform((one) => [one]), z.array(server).min(1).max(16)])
    .default([exampleServer])
    .describe(
      'address of the server, or several of a cluster: nats://host:4222, tls://host:4222; default: nats://127.0.0.1:4222',
    ),
  user: z.string().min(1).max(256).optional().describe('name of the user, with password'),
  password: secret().optional().describe('password of the user (take it from the environment)'),
  token: secret().optional().describe('token, in place of user and password'),
  nkey: z
    .string()
    .regex(/^SU[A-Z2-7]{56}$/, { error: 'is not the seed of a user nkey: SU and 56 characters' })
    .optional()
    .describe('seed of a user nkey, in place of user and password'),
  tls: z
    .strictObject({
      ca: file('certificates of the authorities to trust, in place of those of the system'),
      cert: file('certificate of this client'),
      key: file('private key of this client'),
    })
    .refine((o) => (o.cert === undefined) === (o.key === undefined), {
      error: 'needs both "cert" and "key", or neither',
    })
    .optional()
    .describe('encrypt, and check the certificate of the server'),
} as const;

export type ConnectOptions = z.output<z.ZodObject<typeof connectOptions>>;

/** What the options of a connection must satisfy together. */
export function connectProblem({
  user,
  password,
  token,
  nkey,
}: ConnectOptions): string | undefined {
  if ((user === undefined) !== (password === undefined))
    return 'needs both "user" and "password", or neither';
  const ways = [user, token, nkey].filter((way) => way !== undefined).length;
  return ways > 1 ? 'takes one of "user", "token" and "nkey"' : undefined;
}

/** Files that a connection reads. */
export function connectReads({ tls }: ConnectOptions, baseDirectory: string): PathUse[] {
  return Object.entries(tls ?? {}).map(([option, path]) => ({
    path: resolvePath(baseDirectory, path as string),
    as: 'file',
    option: `tls.${option}`,
  }));
}

/** Warnings about credentials and pictures that others on the network can read. */
export function connectWarnings({ servers, tls, user, token }: ConnectOptions): string[] {
  const open = servers.find((one) => one.startsWith('nats:') && !isLoopback(hostOf(one)));
  if (open === undefined || tls) return [];
  const what = (user ?? token) ? 'credentials and frames' : 'frames';
  return [`${what} travel to ${open} without encryption unless its server demands TLS; set tls`];
}

function hostOf(address: string): string {
  return address.replace(/^\w+:\/\//, '').replace(/:\d+$/, '');
}

/** The subject of messages. */
export function subjectProblem(text: string, wildcards: boolean): string | undefined {
  const tokens = text.split('.');
  const valid = tokens.every((token, i) => {
    if (token === '*') return wildcards;
    if (token === '>') return wildcards && i === tokens.length - 1;
    return /^[^\s.*>\p{C}]+$/u.test(token);
  });
  if (!valid || text.length > 255)
    return `is not a NATS subject: words between dots, without spaces${wildcards ? '' : ' or wildcards'}`;
  return text.startsWith('$') ? 'must not begin with $, which is reserved' : undefined;
}

/** Names of streams and consumers. */
export function streamName() {
  return z.string().regex(/^[A-Za-z0-9_-]{1,200}$/, {
    error: 'must consist of 1 to 200 letters, digits, "_" and "-"',
  });
}
