import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import { nats } from '../../src/index.ts';
import { depthline, workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';
import { natsServerPath, startNats } from '../support/nats-server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function server(config: string) {
  const started = await startNats(config);
  closing.push(started.stop);
  return started;
}

/** Writes a frame; what went wrong, if something did. */
async function publish(options: object, baseDirectory = '.'): Promise<string> {
  const context = testContext({ baseDirectory });
  closing.push(context.close);
  try {
    const sink = await nats.create(nats.options.parse(options), context);
    await sink?.write(depthFrame(8, 6));
    return 'delivered';
  } catch (error) {
    return (error as Error).message;
  }
}

const refused = /^cannot connect to nats:\S+: it refuses these credentials; check user, password/;

describe.skipIf(!natsServerPath)('access to a NATS server', () => {
  it('by user and password', async () => {
    const { url } = await server('authorization { user: robot, password: "Zq7xV wK9tB" }');
    const user = { servers: url, user: 'robot' };
    expect(await publish({ ...user, password: 'Zq7xV wK9tB' })).toBe('delivered');
    expect(await publish({ ...user, password: 'Zq7xV-other' })).toMatch(refused);
    expect(await publish({ servers: url })).toMatch(refused);
  });

  it('by token', async () => {
    const { url } = await server('authorization { token: "Zq7xV-wK9tB" }');
    expect(await publish({ servers: url, token: 'Zq7xV-wK9tB' })).toBe('delivered');
    expect(await publish({ servers: url, token: 'Zq7xV-other' })).toMatch(refused);
  });

  it('by nkey', async () => {
    const [mine, other] = [nkeys.createUser(), nkeys.createUser()];
    const { url } = await server(`authorization { users: [{ nkey: ${mine.getPublicKey()} }] }`);
    const seed = (pair: typeof mine) => new TextDecoder().decode(pair.getSeed());
    expect(await publish({ servers: url, nkey: seed(mine) })).toBe('delivered');
    expect(await publish({ servers: url, nkey: seed(other) })).toMatch(refused);
  });

  it('over TLS, with the certificate of the client too', async () => {
    const folder = workplace();
    const openssl = (...args: string[]) =>
      execFileSync('openssl', args, { cwd: folder, stdio: 'pipe', timeout: 60_000 });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', 'key.pem', '-out', 'cert.pem'];
    openssl('req', '-x509', '-days', '1', ...key, ...name, ...files);
    const at = (file: string) => join(folder, file);
    const { url } = await server(
      `tls { cert_file: "${at('cert.pem')}", key_file: "${at('key.pem')}", ca_file: "${at('cert.pem')}", verify: true }`,
    );
    const tls = { ca: 'cert.pem', cert: 'cert.pem', key: 'key.pem' };
    expect(await publish({ servers: url, tls }, folder)).toBe('delivered');
    const other = ['-subj', '/CN=other', '-addext', 'subjectAltName=IP:127.0.0.2'];
    openssl('req', '-x509', '-days', '1', ...key, ...other, '-keyout', 'k2.pem', '-out', 'c2.pem');
    const impostor = await server(
      `tls { cert_file: "${at('c2.pem')}", key_file: "${at('k2.pem')}" }`,
    );
    expect(await publish({ servers: impostor.url, tls: { ca: 'c2.pem' } }, folder)).toMatch(
      /does not match certificate's altnames.*; check "tls"$/,
    );
    const unknown = await publish({ servers: url, tls: {} }, folder);
    expect(unknown).toMatch(/^cannot connect to .*certificate.*; check "tls"$/);
  });

  it('no secret is printed, however the run ends', async () => {
    const { url } = await server('authorization { token: "Zq7xV-wK9tB" }');
    const sink = { servers: url, token: 'Zq7xV-other' };
    const pipeline = {
      source: { 'test-pattern': { frames: 2 } },
      sinks: [{ nats: sink }],
    };
    const cwd = workplace({ 'p.yaml': JSON.stringify(pipeline) });
    const { code, stdout, stderr } = await depthline(['run', 'p.yaml'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('it refuses these credentials');
    expect(stdout + stderr).not.toContain('Zq7xV');
  });
});

describe('options of a connection', () => {
  const problems = (options: object) =>
    JSON.stringify(nats.options.safeParse(options).error?.issues);

  it.each([
    [{ user: 'a' }, 'needs both "user" and "password", or neither'],
    [{ user: 'a', password: 'b', token: 'c' }, 'takes one of "user", "token" and "nkey"'],
    [
      { servers: 'nats://user:secret@host' },
      'must not hold credentials; use "user" and "password"',
    ],
    [
      { servers: 'http://host' },
      'is not the address of a NATS server; write nats://127.0.0.1:4222',
    ],
    [{ servers: 'nats://host:99999' }, 'has no valid host and port; write nats://127.0.0.1:4222'],
    [{ nkey: 'UABC' }, 'is not the seed of a user nkey: SU and 56 characters'],
    [{ tls: { cert: 'a' } }, 'needs both "cert" and "key", or neither'],
    [{ subject: 'a..b' }, 'is not a NATS subject: words between dots, without spaces'],
    [{ subject: 'a.*' }, 'must not have wildcards'],
    [{ subject: '$JS.API' }, 'must not begin with $, which is reserved'],
    [{ stream: { name: 'A' } }, 'is for "delivery: stored"; set it, or leave "stream" out'],
  ])('%j', (options, message) => {
    expect(problems(options)).toContain(JSON.stringify(message).slice(1, -1));
  });

  it('warns of a connection that is not encrypted, unless it stays on this machine', () => {
    const warned = (options: object) => nats.warnings?.(nats.options.parse(options), '.') ?? [];
    expect(warned({ servers: 'nats://broker.example', token: 'a token' })).toEqual([
      'credentials and frames travel to nats://broker.example without encryption unless its server demands TLS; set tls',
    ]);
    expect(warned({ servers: 'nats://broker.example', tls: {} })).toEqual([]);
    expect(warned({})).toEqual([]);
  });
});
