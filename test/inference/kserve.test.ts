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
import { KServeServer } from '../support/kserve-server.ts';
import { putModel } from '../support/models.ts';

let directory: string;
let server: KServeServer;
const open: DepthEstimator[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kserve-'));
  server = await new KServeServer().start();
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

it('asks for as many pictures at the same time as there are workers, and keeps their order', async () => {
  // Pictures wait for each other in twos: with one at a time, none would be answered.
  let arrived: (() => void) | undefined;
  const depth = await estimator({}, 2);
  server.onPicture = () =>
    new Promise((resolve) => {
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

it('reads answers in JSON and float16, too', async () => {
  const depth = await estimator();
  server.answers = 'json';
  expect((await depth.estimate(red(50))).data[47]).toBeCloseTo(0.5, 5);
  server.answers = 'half';
  expect((await depth.estimate(red(50))).data[47]).toBe(0.5);
});

it('opens a connection anew that the server has closed while it was idle', async () => {
  const depth = await estimator();
  expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
  server.closeConnections();
  expect((await depth.estimate(red(60))).data[0]).toBeCloseTo(0.6, 5);
});

describe('loses only the picture on which', () => {
  it.each([
    ['it closes the connection', 240, /127\.0\.0\.1:\d+ closed the connection/, 0],
    ['it fails', 241, /answered 500: out of memory/, 0],
    ['it gives no answer in time', 242, /gave no answer within 300 ms/, 0],
    ['it loads its model anew', 250, /answered 503: the model is being loaded/, 0],
    ['it closes the connection within an answer', 245, /closed the connection/, 0],
    ['it refuses the picture', 248, /metres failed: .*answered 400: it is too dark/, 0],
    ['its answer is too long', 243, /sent more than \d+ bytes/, 1],
    ['its answer is garbage', 244, /gave an answer that is not JSON/, 1],
    ['its answer has another size', 246, /gave depth of 4×3 instead of 8×6/, 1],
    ['its answer has no depth', 247, /has no output "depth"/, 1],
    ['its answer has too few bytes', 249, /gave 100 bytes of depth instead of 192/, 1],
  ] as const)('%s', async (_, value, says, replaced) => {
    const restarts: string[] = [];
    const deadlineMs = value === 242 ? 300 : 10_000;
    const depth = await estimator({ deadlineMs }, 1, (why) => restarts.push(why));
    await expect(depth.estimate(red(value))).rejects.toThrow(says);
    expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
    expect(restarts).toHaveLength(replaced);
  });
});

it('goes on when the server is back; what was lost meanwhile is counted', async () => {
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
  expect(seen.map(({ seq }) => seq)).toEqual(seen.map(({ seq }) => seq).toSorted((a, b) => a - b));
});

describe('does not start', () => {
  const tensor = { name: 'picture', datatype: 'UINT8', shape: [-1, 6, 8, 3] };
  it.each([
    [{ inputs: [{ ...tensor, name: 'image' }] }, /it has no input "picture", but "image"/],
    [
      { inputs: [{ ...tensor, datatype: 'FP32' }] },
      /input "picture" is FP32.*says UINT8 \[1, 6, 8, 3\]/,
    ],
    [{ inputs: [{ ...tensor, shape: [1, 3, 6, 8] }] }, /input "picture" is UINT8 \[1, 3, 6, 8\]/],
    [{ inputs: [tensor, { ...tensor, name: 'more' }] }, /it has 2 inputs/],
    [{ outputs: [{ ...tensor, name: 'depth' }] }, /output "depth" is UINT8/],
    [{ outputs: [] }, /it has no output "depth"/],
    [{ outputs: 'none' }, /has no list of outputs/],
  ])('with a model that does not fit: %j', async (metadata, says) => {
    server.metadata = metadata;
    await expect(estimator()).rejects.toThrow(says);
  });

  it('with a model that the server does not have', async () => {
    await expect(estimator({ model: 'other', startWithinMs: 500 })).rejects.toThrow(
      /answered 404: Request for unknown model.*correct "url" and "model"/,
    );
  });

  it('without a server, after the time that it has', async () => {
    await server.stop();
    await expect(estimator({ startWithinMs: 500 })).rejects.toMatchObject({
      code: 'MODEL',
      message: expect.stringMatching(/inference server .* refuses connections; start the server/),
    });
  });

  it('without the credentials that the server demands, and never prints them', async () => {
    server.authorization = 'Bearer right-token';
    await expect(estimator({ authorization: 'Bearer wrong-token' })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.not.stringContaining('wrong-token'),
    });
    const depth = await estimator({ authorization: 'Bearer right-token' });
    expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
  });
});

it('speaks TLS with a certificate that it is told to trust, and with no other', async () => {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1'],
    ],
    { stdio: 'ignore' },
  );
  await server.stop();
  server = await new KServeServer({
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(cert, 'utf8'),
  }).start();
  await expect(estimator()).rejects.toThrow(/not trusted \(self-signed certificate\).*set "ca"/);
  const depth = await estimator({ tls: { ca: cert } });
  expect((await depth.estimate(red(50))).data[0]).toBeCloseTo(0.5, 5);
});
