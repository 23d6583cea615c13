import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/core/registry.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { serveOptions, serveWarnings } from '../../src/pipeline/serve-options.ts';

const options = (address?: string, file?: Parameters<typeof serveOptions>[1], env = {}) =>
  serveOptions(address, file, env);

describe('--serve', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['robot.local:9000', { host: 'robot.local', port: 9000 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    [':9000', { host: '127.0.0.1', port: 9000 }],
    ['9000', { host: '127.0.0.1', port: 9000 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ])('%s', (address, expected) => {
    expect(options(address)).toEqual(expected);
  });

  it.each(['', 'demo', '127.0.0.1', '127.0.0.1:', '1:2:3', ':65536', ':-1', 'a b:1'])(
    'refuses "%s"',
    (address) => {
      expect(() => options(address)).toThrow(/write it as host:port, such as 127\.0\.0\.1:9464$/);
    },
  );

  it.each([
    ['::1:9464', '[::1]:9464'],
    ['fe80::1:2:80', '[fe80::1:2]:80'],
    ['::', '[::]:9464'],
  ])('says where brackets are missing: %s', (address, written) => {
    expect(() => options(address)).toThrow(`write an IPv6 address in brackets: ${written}`);
    expect(options(written)).toBeDefined();
  });

  it('replaces host and port of the file, as far as they are given, and keeps its token', () => {
    const file = { host: '0.0.0.0', port: 1, token: 'of-the-file' };
    expect(options('[::1]:2', file)).toEqual({ ...file, host: '::1', port: 2 });
    expect(options(':2', file)).toEqual({ ...file, port: 2 });
    expect(options(undefined, file)).toEqual(file);
    expect(options()).toBeUndefined();
  });

  it('takes the token of the environment where the file has none', () => {
    const env = { DEPTHLINE_SERVE_TOKEN: 'of-the-environment' };
    expect(options(':2', undefined, env)).toMatchObject({ token: 'of-the-environment' });
    const file = { host: '0.0.0.0', port: 1, token: 'of-the-file' };
    expect(options(undefined, file, env)).toMatchObject({ token: 'of-the-file' });
    expect(options(undefined, undefined, env)).toBeUndefined();
  });

  it.each(['', 'short', 'with a space', 'é'.repeat(10)])(
    'does not serve without a token when that of the environment is "%s"',
    (token) => {
      expect(() => options(':2', undefined, { DEPTHLINE_SERVE_TOKEN: token })).toThrow(
        /^DEPTHLINE_SERVE_TOKEN must have 8 to 256 ASCII characters/,
      );
    },
  );
});

it('warns when everyone can connect', () => {
  expect(serveWarnings({ host: '127.0.0.1', port: 1 })).toEqual([]);
  expect(serveWarnings({ host: '0.0.0.0', port: 1, token: 'long-enough' })).toEqual([]);
  expect(serveWarnings({ host: '0.0.0.0', port: 9464 })).toEqual([
    '0.0.0.0:9464 is open to the network without a token; set token or DEPTHLINE_SERVE_TOKEN, or listen on 127.0.0.1',
  ]);
});

describe('serve in a pipeline file', () => {
  const parse = (serve: string, set: string[] = []) =>
    parsePipeline(`serve: ${serve}`, 'p.yaml', { registry: new Registry(), set, env: { P: '81' } });
  const messages = async (serve: string) =>
    (await parse(serve)).problems.map(({ line, column, message }) => [line, column, message]);

  it('has defaults, and takes variables and --set', async () => {
    expect((await parse('{}')).serve).toEqual({ host: '127.0.0.1', port: 9464 });
    expect((await parse('{ port: "${P}" }')).serve).toMatchObject({ port: 81 });
    expect((await parse('{ port: 1 }', ['serve.port=2'])).serve).toMatchObject({ port: 2 });
  });

  it('reports mistakes with line and column', async () => {
    expect(await messages('{ prot: 1 }')).toContainEqual([
      1,
      10,
      'unknown option "prot"; did you mean "port"?',
    ]);
    expect(await messages('127.0.0.1:9464')).toContainEqual([
      1,
      8,
      'serve: must be a map of options, not "127.0.0.1:9464"',
    ]);
    expect(await messages('{ token: short }')).toContainEqual([
      1,
      17,
      'token: must have at least 8 characters',
    ]);
  });
});
