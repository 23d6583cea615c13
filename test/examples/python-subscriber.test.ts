import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { Publisher } from 'zeromq';
import { systemClock } from '../../src/core/clock.ts';
import type { DepthEncoding } from '../../src/topic/header.ts';
import { type Framing, framings } from '../../src/topic/message.ts';
import { startProcess, workplace } from '../support/cli.ts';
import { depthFrame } from '../support/frames.ts';
import { pythonWith } from '../support/python.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

const python = pythonWith('zmq', 'numpy');
const example = new URL('../../examples/depth_subscriber.py', import.meta.url).pathname;

/** Prints seq, SHA-256 of the payload, and the sum of the decoded metres, of `count` messages. */
const hashing = `
import hashlib, sys
sys.path.insert(0, sys.argv[3])
from depth_subscriber import subscribe_depth
for n, frame in enumerate(subscribe_depth(sys.argv[1])):
    print(frame.seq, hashlib.sha256(bytes(frame.payload)).hexdigest(), frame.depth.shape, float(frame.depth[1, 2]), flush=True)
    if n + 1 == int(sys.argv[2]):
        break
`;

const header: Record<string, unknown> = {
  ...{ v: 1, kind: 'depth', seq: 1, pts: '1', capturedAt: '1', publishedAt: '1', source: 'x' },
  ...{ dtype: '<f4', shape: [2, 2], encoding: '32FC1', scale: 1, invalid: 0, dropped: 0 },
};
const headers: (string | Buffer)[] = [
  ...[
    { shape: [-2, -2] },
    { shape: [2.5, 2] },
    { shape: '22' },
    { shape: [true, 4] },
    { shape: [2, 2, 1] },
    { shape: [0, 5] },
    { shape: [1e9, 1e9] },
    { shape: null },
    { seq: 'x' },
    { seq: null },
    { seq: -1 },
    { seq: 2 ** 53 },
    { seq: '../../x' },
    { seq: '\u001b[2J' },
    { pts: '9'.repeat(5000) },
    { pts: 1 },
    { pts: '-1' },
    { pts: '١' },
    { capturedAt: '9223372036854775808' },
    { encoding: 'constructor' },
    { encoding: ['32FC1'] },
    { dtype: 'O' },
    { dtype: '<f8' },
    { kind: 'image' },
    { scale: '1' },
    { scale: true },
    { v: 2 },
  ].map((lie) => JSON.stringify({ ...header, ...lie })),
  ...['1e400', 'NaN', '-Infinity', '9'.repeat(6000)].flatMap((number) => [
    JSON.stringify(header).replace('"seq":1', `"seq":${number}`),
    JSON.stringify(header).replace('[2,2]', `[${number},2]`),
    JSON.stringify(header).replace('"scale":1', `"scale":${number}`),
  ]),
  ...['null', '[]', '5', '""', '', '{', '['.repeat(30_000) + ']'.repeat(30_000), '{}'],
  ' '.repeat(70_000) + JSON.stringify(header),
  Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(JSON.stringify(header))]),
];
/** Malformed messages in either framing. */
const malformed: Buffer[][] = [
  ...headers.map((text) => [Buffer.from('depth'), Buffer.from(text), Buffer.alloc(16)]),
  [Buffer.from('depth'), Buffer.from(JSON.stringify(header)), Buffer.alloc(15)],
  [Buffer.from('depth'), Buffer.from(JSON.stringify(header))],
  [Buffer.from('depth'), Buffer.from('a'), Buffer.from('b'), Buffer.from('c')],
  [Buffer.from('depth')],
  [Buffer.from('depth\0')],
  [Buffer.from('depth\0\xff\xff\xff\xff', 'latin1')],
];

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function topic(framing: Framing, encoding: DepthEncoding, everyMs: number) {
  const { socket, endpoint } = await publisher();
  const done = new AbortController();
  const hashes = new Map<number, string>();
  const sending = sendUntil(socket, done.signal, everyMs, (n) => {
    const frame = depthFrame(64, 48, n, (x, y) => 0.5 + ((x * 7 + y * 13 + n) % 97) / 10);
    const parts = message({ ...frame, capturedAt: systemClock.wall() }, { framing, encoding });
    const payload = parts.at(-1)?.subarray(-64 * 48 * (encoding === '32FC1' ? 4 : 2)) as Buffer;
    hashes.set(n, createHash('sha256').update(payload).digest('hex'));
    return parts;
  });
  closing.push(async () => {
    done.abort();
    await sending;
    socket.close();
  });
  return { endpoint, hashes };
}

describe.each(framings)('a pyzmq reader of a %s topic', (framing) => {
  it.each(['32FC1', '16UC1'] as const)('decodes every %s message bit for bit', async (encoding) => {
    const { endpoint, hashes } = await topic(framing, encoding, 3);
    const directory = new URL('../../examples', import.meta.url).pathname;
    const output = await new Promise<string>((resolve, reject) => {
      execFile(
        python,
        ['-c', hashing, endpoint, '50', directory],
        { timeout: 60_000 },
        (error, out) => (error ? reject(error) : resolve(out)),
      );
    });
    const lines = output.trim().split('\n');
    expect(lines).toHaveLength(50);
    for (const line of lines) {
      const [seq, hash, rows, columns, metres] = line.split(' ') as [
        string,
        string,
        string,
        string,
        string,
      ];
      expect(hash).toBe(hashes.get(Number(seq)));
      expect(rows + columns).toBe('(48,64)');
      expect(Number(metres)).toBeCloseTo(0.5 + ((2 * 7 + 13 + Number(seq)) % 97) / 10, 3);
    }
  });

  it('with latest skips what arrived while it was busy', async () => {
    const frameMs = 40;
    const { endpoint } = await topic(framing, '32FC1', frameMs);
    const slow = `
import sys, time
sys.path.insert(0, sys.argv[2])
from depth_subscriber import subscribe_depth
for n, frame in enumerate(subscribe_depth(sys.argv[1], latest=True)):
    print(frame.seq, flush=True)
    time.sleep(${(4 * frameMs) / 1000})
    if n == 12:
        break
`;
    const directory = new URL('../../examples', import.meta.url).pathname;
    const child = spawn(python, ['-c', slow, endpoint, directory]);
    closing.push(() => child.kill());
    const seqs: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) seqs.push(Number(line));
    expect(seqs).toHaveLength(13);
    // Read one by one, they would be 12 apart; at a quarter of the rate 48.
    expect((seqs[12] as number) - (seqs[0] as number)).toBeGreaterThan(20);
  });
});

describe('depth_subscriber.py as a command', () => {
  it('prints headers as JSON and ends after --count', async () => {
    const { endpoint } = await topic('multipart', '32FC1', 3);
    const output = await new Promise<string>((resolve, reject) => {
      execFile(
        python,
        [example, endpoint, '--json', '--count', '3'],
        { timeout: 60_000 },
        (error, out) => (error ? reject(error) : resolve(out)),
      );
    });
    const headers = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(headers).toHaveLength(3);
    expect(headers[0]).toMatchObject({ kind: 'depth', dtype: '<f4', shape: [48, 64], unit: 'm' });
  });

  it('skips every malformed message with one line, and goes on', async () => {
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 2, (n) =>
      n % 2 ? message(depthFrame(2, 2, n)) : (malformed[(n / 2) % malformed.length] as Buffer[]),
    );
    closing.push(async () => {
      done.abort();
      await sending;
      socket.close();
    });
    const directory = workplace({ '000001.npy': 'mine', '000003.npy': 'mine' });
    const count = String(4 * malformed.length);
    const args = [example, endpoint, '--json', '--count', count, '--save', directory];
    const finished = await startProcess(python, args).finished;
    expect(finished.code).toBe(0);
    const frames = finished.stdout.trim().split('\n');
    expect(frames).toHaveLength(4 * malformed.length);
    for (const frame of frames) expect(JSON.parse(frame)).toMatchObject({ shape: [2, 2] });
    const lines = finished.stderr.trim().split('\n');
    expect(lines.length).toBeGreaterThan(3 * malformed.length);
    for (const [i, line] of lines.entries()) {
      expect(line).toMatch(/^skipped a corrupt message \(\d+ so far\): [\x20-\x7e]+$/);
      expect(line).toContain(`(${i + 1} so far)`);
    }
    for (const name of ['000001.npy', '000003.npy']) {
      expect(readFileSync(join(directory, name), 'utf8')).toBe('mine');
    }
  });

  it('reads over IPv6', async () => {
    const socket = new Publisher({ linger: 0, ipv6: true });
    await socket.bind('tcp://[::1]:*');
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 3, (n) => message(depthFrame(2, 2, n)));
    const args = [example, socket.lastEndpoint as string, '--count', '2'];
    const { code, stdout } = await startProcess(python, args).finished;
    done.abort();
    await sending;
    socket.close();
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
  });

  it('says what is wrong with an endpoint in one line', async () => {
    const { code, stderr } = await startProcess(python, [example, 'tcp:/nowhere']).finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^depth_subscriber\.py: .+\n$/);
  });
});
