import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { startProcess } from '../support/cli.ts';
import { depthFrame } from '../support/frames.ts';
import { pythonWith } from '../support/python.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';

it.each(['32FC1', '16UC1'] as const)(
  'the reader in docs/depth-topic.md reads %s',
  async (encoding) => {
    const text = readFileSync(join(packageDirectory(), 'docs/depth-topic.md'), 'utf8');
    const reader = /```python\n(.*?)```/s.exec(text)?.[1] as string;
    const { socket, endpoint } = await publisher();
    const done = new AbortController();
    const sending = sendUntil(socket, done.signal, 5, (n) => {
      const frame = depthFrame(8, 6, n, (x) => (x === 0 ? 0 : 2.5 + x));
      return message({ ...frame, capturedAt: systemClock.wall() }, { encoding });
    });
    const args = ['-c', reader, endpoint, '3'];
    const finished = await startProcess(pythonWith('zmq', 'numpy'), args).finished;
    done.abort();
    await sending;
    socket.close();
    expect(finished.stderr).toBe('');
    const lines = finished.stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^\d+ \(6, 8\) 3\.5 m$/);
  },
);
