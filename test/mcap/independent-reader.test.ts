import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compressions } from '../../src/mcap/compression.ts';
import {
  dataFrame,
  imageFrame,
  pointsFrame,
  sampleFrame,
} from '../../src/testing/sample-frames.ts';
import { workplace } from '../support/cli.ts';
import { readMcap, recordFrames, type TestMessage } from '../support/mcap.ts';
import { pythonWith } from '../support/python.ts';

const python = pythonWith('lz4.frame', 'zstandard');
const script = fileURLToPath(new URL('../support/read_mcap.py', import.meta.url));

/** Every message as a reader in Python gets it, which also checks sums, indices and statistics. */
function readByPython(path: string): string[][] {
  const output = execFileSync(python, [script, path], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: 60_000,
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

function row(message: TestMessage): unknown[] {
  const { topic, schema, messageEncoding, sequence, logTime, publishTime, data } = message;
  const digest = createHash('sha256').update(data).digest('hex');
  return [topic, schema, messageEncoding, sequence, String(logTime), String(publishTime), digest];
}

const frames = [
  ...Array.from({ length: 20 }, (_, seq) => sampleFrame('depth', seq)),
  imageFrame(64, 48, 20),
  pointsFrame(21),
  dataFrame(22, { text: 'ü', list: [1, 2] }),
];

describe.each(['ros2', 'foxglove'] as const)('%s', (encoding) => {
  it.each(compressions)(
    '%s: a reader in Python and McapIndexedReader agree',
    async (compression) => {
      const path = join(workplace(), 'run.mcap');
      // Small chunks, so that there are several.
      await recordFrames(path, frames, { encoding, compression, chunk: '4kB', mount: {} });
      const ours = (await readMcap(path)).map(row);
      const theirs = readByPython(path);
      const key = (one: unknown) => JSON.stringify(one);
      expect(theirs.map(key).toSorted()).toEqual(ours.map(key).toSorted());
      const topics = new Set(theirs.map(([topic]) => topic));
      expect([...topics].toSorted()).toEqual([
        '/camera/data',
        '/camera/depth/camera_info',
        '/camera/depth/image_raw',
        '/camera/depthline/frame',
        '/camera/depthline/ledger',
        '/camera/image_raw',
        '/camera/points',
        '/tf_static',
      ]);
      const ledgers = theirs.filter(([topic]) => topic === '/camera/depthline/ledger').length;
      expect(ledgers).toBeGreaterThanOrEqual(2);
      expect(theirs.length - ledgers).toBe(20 * 4 + 3 * 2 + 1);
    },
  );
});
