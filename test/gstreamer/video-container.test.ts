import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inspectContainer } from '../../src/gstreamer/video-container.ts';
import { workplace } from '../support/cli.ts';

it('a Matroska file with a number of 2 GB does not end the process', async () => {
  const path = join(workplace(), 'damaged.mkv');
  const header = '1a45dfa380';
  const info = '1549a96601ffffffffffffff';
  const duration = `44890100000080000000${'00'.repeat(40)}`;
  writeFileSync(path, Buffer.from(header + info + duration, 'hex'));
  expect(await inspectContainer(path)).toBeUndefined();
});
