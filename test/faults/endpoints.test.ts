import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Publisher, Subscriber } from 'zeromq';
import type { Sink } from '../../src/core/component.ts';
import { zeromq as sink } from '../../src/sinks/zeromq.ts';
import { zeromq as source } from '../../src/sources/zeromq.ts';
import { endpointProblem, resolveHost } from '../../src/topic/endpoint.ts';
import { subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { start, workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';
import { freeEndpoint } from '../support/topic.ts';

/** More in the long form: FUZZ_RUNS=100000 npx vitest run test/faults */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1000);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const freePort = async () => (await freeEndpoint()).split(':').at(-1) as string;

/** A frame published at one endpoint and read at another. */
async function passes(bind: string, connect: string): Promise<void> {
  const context = testContext();
  closing.push(context.close);
  const published = (await sink.create(sink.options.parse({ bind }), context)) as Sink;
  const stop = new AbortController();
  const frames = subscribeDepth(connect, { signal: stop.signal });
  const read = frames.next();
  while (!(await Promise.race([read, published.write(depthFrame(2, 2))]))) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  stop.abort();
  expect((await read).value).toMatchObject({ width: 2, height: 2 });
}

describe('an endpoint that is accepted', () => {
  it.each([
    ['tcp://[::1]:PORT', 'tcp://[::1]:PORT'],
    ['tcp://[::]:PORT', 'tcp://[::1]:PORT'],
    ['tcp://[::]:PORT', 'tcp://127.0.0.1:PORT'],
    ['tcp://[0:0:0:0:0:0:0:1]:PORT', 'tcp://[::1%lo]:PORT'],
    ['tcp://*:PORT', 'tcp://localhost:PORT'],
    ['tcp://localhost:PORT', 'tcp://127.0.0.1:PORT'],
    ['tcp://lo:PORT', 'tcp://127.0.0.1:0;127.0.0.1:PORT'],
    ['ws://[::1]:PORT', 'ws://[::1]:PORT'],
    ['ws://127.0.0.1:PORT/depth', 'ws://127.0.0.1:PORT/depth'],
    ['ipc://DIR/Tiefe 1 (ü)', 'ipc://DIR/Tiefe 1 (ü)'],
    ['ipc://@depthline-PORT', 'ipc://@depthline-PORT'],
    ['inproc://depth PORT', 'inproc://depth PORT'],
  ])('carries frames: %s to %s', async (bind, connect) => {
    const port = await freePort();
    const directory = workplace();
    const filled = (text: string) => text.replace('PORT', port).replace('DIR', directory);
    await passes(filled(bind), filled(connect));
  });

  it.each(['tcp://127.0.0.1:*', 'tcp://[::1]:*', 'tcp://127.0.0.1:0', 'ws://127.0.0.1:*'])(
    'whose port is open is stated: %s',
    async (bind) => {
      const context = testContext();
      closing.push(context.close);
      await sink.create(sink.options.parse({ bind }), context);
      expect(context.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^bound to (tcp|ws):\/\/.*:[1-9]\d+\/?$/),
      ]);
      expect(context.report().endpoint).not.toMatch(/:(0|\*)\/?$/);
    },
  );
});

const refused = [
  ['', 'bind'],
  ['localhost', 'bind'],
  ['localhost:5556', 'bind'],
  ['tcp:/127.0.0.1:5556', 'bind'],
  ['TCP://127.0.0.1:5556', 'bind'],
  ['http://127.0.0.1:5556', 'connect'],
  ['udp://127.0.0.1:5556', 'bind'],
  ['tcp://127.0.0.1', 'connect'],
  ['tcp://127.0.0.1:', 'connect'],
  ['tcp://:5556', 'bind'],
  ['tcp://[]:5556', 'bind'],
  ['tcp://127.0.0.1:99999', 'bind'],
  ['tcp://127.0.0.1:65536', 'connect'],
  ['tcp://127.0.0.1:-1', 'bind'],
  ['tcp://127.0.0.1:+5556', 'bind'],
  ['tcp://127.0.0.1:5556x', 'bind'],
  ['tcp://127.0.0.1: 5556', 'bind'],
  ['tcp://127.0.0.1:5556/depth', 'bind'],
  ['tcp://127.0.0.1:0', 'connect'],
  ['tcp://127.0.0.1:*', 'connect'],
  ['tcp://*:5556', 'connect'],
  ['tcp://256.0.0.1:5556', 'connect'],
  ['tcp://::1:5556', 'connect'],
  ['tcp://[::1:5556', 'connect'],
  ['tcp://[::g]:5556', 'connect'],
  ['tcp://[127.0.0.1]:5556', 'bind'],
  ['tcp://user@host:5556', 'connect'],
  ['tcp://kamera küche:5556', 'connect'],
  ['ipc://', 'bind'],
  ['ipc://*', 'connect'],
  ['ipc://~/depth', 'bind'],
  [`ipc:///tmp/${'x'.repeat(103)}`, 'bind'],
  ['ipc:///tmp/a\0b', 'bind'],
  ['inproc://', 'bind'],
] as const;

describe('an endpoint that cannot work', () => {
  it.each(refused)('is refused by sink, source and subscriber: %j to %s', async (text, use) => {
    const problem = endpointProblem(text, use) as string;
    expect(problem).toMatch(/is not a ZeroMQ endpoint.*; write tcp:\/\/127\.0\.0\.1:5556 or ipc:/);
    for (const { options } of [sink, source]) {
      const issues = options.safeParse({ [use]: text }).error?.issues;
      expect(issues?.map(({ message }) => message)).toEqual([problem]);
    }
    await expect(subscribeDepth(text, { mode: use }).next()).rejects.toMatchObject({
      code: 'CONFIG',
      message: problem,
    });
  });

  it('is shown by `check` with its place, for every role', async () => {
    const pipeline = `source:
  zeromq: { connect: "tcp://::1:5556" }
sinks:
  - zeromq: { bind: "tcp://[::1]:99999" }
  - zeromq: { bind: "tcp://[::1]:5556" }
`;
    const directory = workplace({ 'p.yaml': pipeline });
    const { code, stdout, stderr } = await start(['check', 'p.yaml'], { cwd: directory }).finished;
    expect(code).toBe(2);
    const problems = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('p.yaml:'));
    expect(problems).toEqual([
      expect.stringMatching(/p\.yaml:2:\d+: .*put the IPv6 address in brackets: \[::1\]/),
      expect.stringMatching(/p\.yaml:4:\d+: .*"99999" is not a port/),
    ]);
  });
});

const transport = fc.constantFrom('tcp', 'tcp', 'tcp', 'ws', 'ipc', 'inproc', 'TCP', 'udp', '');
const host = fc.oneof(
  fc.constantFrom('*', '127.0.0.1', '[::1]', '::1', '[::]', 'lo', 'localhost', '', '[]', '[::1'),
  fc.constantFrom('127.1', '256.1.1.1', '1.2.3.4.5', '-', '.', '%', '[::1%lo]', '[fe80::1%nic9]'),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const port = fc.oneof(
  fc.constantFrom('*', '0', '!', '', '65536', '99999', '-1', '+1', ' 1', '1 ', '1/', '0x10', '١'),
  // None that the system gives to other tests meanwhile.
  fc.integer({ min: 61_000, max: 65_535 }).map(String),
);
const endpoints = fc.oneof(
  fc.tuple(transport, host, port).map(([a, b, c]) => `${a}://${b}:${c}`),
  fc.tuple(transport, host).map(([a, b]) => `${a}://${b}`),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
);
/** What the machine lacks, or somebody else has: no fault of the endpoint's form. */
const circumstances = ['ENODEV', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EACCES', 'ENOENT'];
/** An interface behind %, and names, which ws:// looks up at once: EINVAL. */
const unknown = /%|^ws:\/\/[^[\d]/;

describe('a host that nobody knows', () => {
  const host = 'camera.invalid';

  it('is waited for, which is said', async () => {
    const context = testContext();
    closing.push(context.close);
    await sink.create(sink.options.parse({ connect: `tcp://${host}:5556` }), context);
    const source$ = await source.create(
      source.options.parse({ connect: `tcp://${host}:5556`, 'silent-after': '300ms' }),
      context,
    );
    await expect(firstValueFrom(source$)).rejects.toThrow('nothing received');
    const warning = `host "${host}" cannot be resolved yet; ZeroMQ keeps trying`;
    expect(context.logs.map(({ message }) => message)).toEqual([warning, warning]);
  });

  it('is an error where ZeroMQ does not wait for it', async () => {
    const message = `ws://${host}:5556 cannot be connected to: no host is called "${host}"`;
    const options = sink.options.parse({ connect: `ws://${host}:5556` });
    await expect(sink.create(options, testContext())).rejects.toMatchObject({
      code: 'SINK',
      message,
    });
    await expect(subscribeDepth(`ws://${host}:5556`).next()).rejects.toMatchObject({
      code: 'SOURCE',
      message,
    });
  });
});

describe('any endpoint', () => {
  it('is refused in words, or ZeroMQ takes it as it is written', async () => {
    const directory = workplace();
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(endpoints, fc.constantFrom('bind', 'connect'), async (text, use) => {
        // No files beside the tests.
        const endpoint = text.replace('ipc://', `ipc://${directory}/`);
        const problem = endpointProblem(endpoint, use);
        if (problem !== undefined) {
          expect(problem).not.toMatch(/[^\n\P{C}]/u);
          return;
        }
        // A path that was mangled into a missing folder, and names that nobody has to look up.
        const { ipv6 } =
          use === 'bind' || endpoint.includes('[')
            ? await resolveHost(endpoint, use)
            : { ipv6: false };
        const socket =
          use === 'bind' ? new Publisher({ linger: 0, ipv6 }) : new Subscriber({ linger: 0, ipv6 });
        try {
          if (use === 'connect') socket.connect(endpoint);
          else await socket.bind(endpoint);
          taken++;
          const asked = /^(?:tcp|ws):.*:([1-9]\d*)(\/.*)?$/.exec(endpoint)?.[1];
          if (asked !== undefined)
            expect(socket.lastEndpoint).toMatch(new RegExp(`:${asked}(/.*)?$`));
        } catch (error) {
          const { code } = error as { code: string };
          if (!circumstances.includes(code) && !(code === 'EINVAL' && unknown.test(endpoint)))
            throw error;
        } finally {
          socket.close();
        }
      }),
      { numRuns },
    );
    expect(taken).toBeGreaterThan(numRuns / 20);
  });
});
