import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DepthFrame, Frame } from '../../src/core/frame.ts';
import type { KServeChoice } from '../../src/inference/engines/choice.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { estimateDepth } from '../../src/operators/estimate-depth.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { imbalance } from '../../src/runtime/ledger.ts';
import { runPipeline } from '../../src/runtime/runner.ts';
import { discard } from '../../src/sinks/discard.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { imageFrame } from '../support/frames.ts';
import { GrpcInferenceServer } from '../support/kserve/grpc-server.ts';
import { HttpInferenceServer } from '../support/kserve/http-server.ts';
import type { Certificate, InferenceServer } from '../support/kserve/inference-server.ts';
import { putModel } from '../support/models.ts';

/** What the two transports of the protocol call the same things. */
const transports = [
  {
    name: 'HTTP',
    create: (certificate?: Certificate): InferenceServer => new HttpInferenceServer(certificate),
    words: {
      fails: '500',
      loads: '503',
      refuses: '400',
      unknown: '404',
      garbage: 'is not JSON',
      schemes: ['http', 'https'],
    },
  },
  {
    name: 'gRPC',
    create: (certificate?: Certificate): InferenceServer => new GrpcInferenceServer(certificate),
    words: {
      fails: 'INTERNAL',
      loads: 'UNAVAILABLE',
      refuses: 'INVALID_ARGUMENT',
      unknown: 'NOT_FOUND',
      garbage: 'is no message of this protocol',
      schemes: ['grpc', 'grpcs'],
    },
  },
] as const;

let directory: string;
let server: InferenceServer;
const open: DepthEstimator[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kserve-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((estimator) => estimator.close()));
  await server.stop();
  rmSync(directory, { recursive: true });
});

const red = (value: number, seq = 0) => imageFrame(8, 6, seq, () => [value, 0, 0]);

async function estimator(
  options: Partial<KServeChoice> = {},
  workers = 1,
  onRestart: (why: string) => void = () => {},
) {
  const engine: KServeChoice = {
    ...{ name: 'kserve', url: server.url, deadlineMs: 10_000, startWithinMs: 10_000 },
    ...options,
  };
  const model = putModel(directory, 'metres');
  const opened = await DepthEstimator.open({ model, engine, workers, onRestart });
  open.push(opened);
  return opened;
}

describe.each(transports)('over $name, a server', ({ create, words }) => {
  beforeEach(async () => {
    server = await create().start();
  });

  it('has as many pictures at the same time as there are workers, and their order is kept', async () => {
    // Pictures wait for each other in twos: with one at a time, none would be answered.
    let arrived: (() => void) | undefined;
    const depth = await estimator({}, 2);
    server.onPicture = () =>
      new Promise<void>((resolve) => {
        if (!arrived) {
          arrived = resolve;
          return;
        }
        arrived();
        arrived = undefined;
        resolve();
      });
    const frames = await Promise.all(
      Array.from({ length: 40 }, (_, i) => depth.estimate(red(i * 5, i))),
    );
    frames.forEach(({ seq, data, width, height }, i) => {
      expect({ seq, width, height }).toEqual({ seq: i, width: 8, height: 6 });
      expect(data[17]).toBeCloseTo((i * 5) / 100, 5);
    });
    expect(server.most).toBe(2);
  });

  it('may answer in numbers and float16, too, and close a connection that is idle', async () => {
    const depth = await estimator();
    server.answers = 'numbers';
    expect((await depth.estimate(red(50))).data[47]).toBeCloseTo(0.5, 5);
    server.answers = 'half';
    expect((await depth.estimate(red(50))).data[47]).toBe(0.5);
    server.answers = 'binary';
    server.closeConnections();
    expect((await depth.estimate(red(60))).data[0]).toBeCloseTo(0.6, 5);
  });

  it('that does not do what it should loses only the picture', async () => {
    const restarts: string[] = [];
    const depth = await estimator({}, 1, (why) => restarts.push(why));
    const cases = [
      ['closes the connection', 240, /127\.0\.0\.1:\d+ closed the connection/, 0],
      ['fails', 241, new RegExp(`answered ${words.fails}: out of memory`), 0],
      ['loads its model anew', 250, new RegExp(`answered ${words.loads}: the model is being`), 0],
      ['closes the connection within an answer', 245, /closed the connection/, 0],
      ['refuses it', 248, new RegExp(`metres failed: .* ${words.refuses}: it is too dark`), 0],
      ['sends too much', 243, /sent more than \d+ bytes/, 1],
      ['sends garbage', 244, new RegExp(`gave an answer that ${words.garbage}`), 1],
      ['gives another size', 246, /gave depth of 4×3 instead of 8×6/, 1],
      ['gives no depth', 247, /gave an answer that has no output "depth"/, 1],
      ['gives too few bytes', 249, /gave 100 bytes of depth instead of 192/, 1],
    ] as const;
    for (const [what, value, says, replaced] of cases) {
      await expect(depth.estimate(red(value)), what).rejects.toThrow(says);
      expect((await depth.estimate(red(50))).data[0], what).toBeCloseTo(0.5, 5);
      expect(restarts.splice(0), what).toHaveLength(replaced);
    }
  });

  it('that gives no answer in time loses only the picture', async () => {
    const depth = await estimator({ deadlineMs: 500 });
    await expect(depth.estimate(red(242))).rejects.toThrow(/gave no answer within 500 ms/);
    // On a busy machine half a second may be too short for the next one, too.
    const next = () =>
      depth.estimate(red(50)).then(
        ({ data }) => data[0] ?? 0,
        () => 0,
      );
    await expect.poll(next).toBeCloseTo(0.5, 5);
  });

  it('that comes back is used again; what was lost meanwhile is counted', async () => {
    const seen: DepthFrame[] = [];
    let away: Promise<unknown> | undefined;
    const { branches, error } = await runPipeline(
      definePipeline({
        source: testPattern({ width: 8, height: 6, pattern: 'ball', frames: 60 }),
        operators: [
          estimateDepth({
            model: putModel(directory, 'metres'),
            engine: 'kserve',
            kserve: { url: server.url },
          }),
          tap<Frame>((frame) => {
            seen.push(frame as DepthFrame);
            // Back only after a picture was lost: the engine asks again by itself.
            if (seen.length === 20) away = server.stop().then(() => server.start());
          }),
        ],
        sinks: [discard()],
      }),
    );
    await away;
    expect(error).toBeUndefined();
    expect(branches.map(imbalance)).toEqual([0]);
    const [branch] = branches;
    expect((branch?.failed ?? 0) + (branch?.delivered ?? 0)).toBe(60);
    expect(branch?.delivered).toBeGreaterThan(30);
    const order = seen.map(({ seq }) => seq);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('must have the model that the manifest describes', async () => {
    const tensor = { name: 'image', datatype: 'UINT8', shape: [-1, 6, 8, 3] };
    server.metadata = { inputs: [tensor] };
    await expect(estimator()).rejects.toThrow(
      /^the model of the inference server .* does not fit .*: it has no input "picture", but "image"/,
    );
    server.metadata = {};
    await expect(estimator({ model: 'other', startWithinMs: 1200 })).rejects.toThrow(
      new RegExp(`answered ${words.unknown}: Request for unknown model.*correct "url" and "model"`),
    );
  });

  it('must be there within the time that it has', async () => {
    await server.stop();
    await expect(estimator({ startWithinMs: 1200 })).rejects.toMatchObject({
      code: 'MODEL',
      message: expect.stringMatching(/inference server .* refuses connections; start the server/),
    });
  });

  it('gets the credentials that it demands, which are never printed', async () => {
    server.authorization = 'Bearer right-token';
    await expect(estimator({ authorization: 'Bearer wrong-token' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.not.stringContaining('wrong'),
    });
    const depth = await estimator({ authorization: 'Bearer right-token' });
    expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
    server.authorization = `Basic ${Buffer.from('me:my%word').toString('base64')}`;
    const named = await estimator({ url: server.url.replace('//', '//me:my%25word@') });
    expect((await named.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
  });

  it('is trusted by its certificate only, and where TLS does not fit the message says so', async () => {
    const [plain, safe] = words.schemes;
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    makeCertificate(key, cert);
    await expect(estimator({ url: server.url.replace(plain, safe) })).rejects.toThrow(
      new RegExp(`does not speak TLS at this port; write ${plain}://`),
    );
    await server.stop();
    server = await create({
      key: readFileSync(key, 'utf8'),
      cert: readFileSync(cert, 'utf8'),
    }).start();
    await expect(estimator()).rejects.toThrow(/not trusted \(self-signed certificate\).*set "ca"/);
    await expect(
      estimator({ url: server.url.replace(safe, plain), startWithinMs: 1200 }),
    ).rejects.toThrow(`closed the connection; if it speaks TLS, write ${safe}://`);
    await expect(estimator({ tls: { ca: key } })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/key\.pem of "tls" cannot be used: .*must be PEM/),
    });
    const depth = await estimator({ tls: { ca: cert } });
    expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
  });
});

it('says that a server over HTTP does not speak gRPC, and the other way round', async () => {
  server = await new HttpInferenceServer().start();
  await expect(estimator({ url: server.url.replace('http', 'grpc') })).rejects.toThrow(
    /does not speak gRPC at this port; for HTTP write http:\/\//,
  );
  server.metadata = { outputs: 'none' };
  await expect(estimator()).rejects.toThrow(
    /gave an answer that has no list of outputs; correct "url" of kserve/,
  );
  await server.stop();
  server = await new GrpcInferenceServer().start();
  await expect(estimator({ url: server.url.replace('grpc', 'http') })).rejects.toThrow(
    /does not speak HTTP at this port; for gRPC write grpc:\/\//,
  );
});

function makeCertificate(key: string, cert: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1'],
    ],
    { stdio: 'ignore', timeout: 20_000 },
  );
}
