import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { DepthEncoding } from '../../src/topic/header.ts';
import { type Framing, framings } from '../../src/topic/message.ts';
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
        { timeout: 20_000 },
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

  it('with latest skips what came while it was busy', async () => {
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
        { timeout: 20_000 },
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
});
