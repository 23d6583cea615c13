import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { depthline, workplace } from '../support/cli.ts';
import { openMaster } from '../support/own-master.ts';

const bag = fileURLToPath(new URL('../fixtures/ros1/pictures.bag', import.meta.url));

// The libraries are CommonJS, which Node.js imports otherwise than the test runner does.
it('plays a bag to Foxglove and to a ROS master', async () => {
  const master = await openMaster();
  onTestFinished(() => master.close());
  const folder = workplace();
  const node = { master: master.uri, host: '127.0.0.1' };
  const pipeline = {
    source: { rosbag: { path: bag } },
    sinks: [{ foxglove: { port: 0 } }, { ros1: node }],
  };
  writeFileSync(join(folder, 'play.yaml'), JSON.stringify(pipeline));
  const { code, stderr, stdout } = await depthline(['run', 'play.yaml', '--stats', 'json'], {
    cwd: folder,
  });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as object;
  expect(summary).toMatchObject({
    captured: 5,
    components: { foxglove: { frames: 5 }, ros1: { frames: 5 } },
  });
});

it('reads a topic of ROS 1 until it is told to end', async () => {
  const master = await openMaster();
  onTestFinished(() => master.close());
  const pipeline = {
    source: { ros1: { topic: '/camera/image_raw', master: master.uri, host: '127.0.0.1' } },
    sinks: ['discard'],
  };
  const folder = workplace();
  writeFileSync(join(folder, 'read.yaml'), JSON.stringify(pipeline));
  const { code, stderr } = await depthline(['run', 'read.yaml', '--duration', '1'], {
    cwd: folder,
  });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
});
