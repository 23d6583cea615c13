import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { DepthFrame, Frame, ImageFrame } from '../../src/core/frame.ts';
import { rosbag } from '../../src/sources/rosbag.ts';
import { workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { depthFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { publishFrames } from '../support/own-master.ts';
import { hasRos1, program, startMaster } from '../support/ros1.ts';

if (!hasRos1)
  console.warn('ROS 1 is not installed: its tests are skipped; "make test" installs it');

const fixture = fileURLToPath(new URL('../fixtures/ros1/pictures.bag', import.meta.url));
const script = fileURLToPath(new URL('../support/write_bag.py', import.meta.url));

async function play(
  options: z.input<typeof rosbag.options>,
  context = testContext({ name: 'rosbag' }),
): Promise<Frame[]> {
  const source = await rosbag.create(rosbag.options.parse(options), context);
  const frames = await lastValueFrom(source.pipe(toArray()));
  await context.close();
  return frames;
}

describe('rosbag', () => {
  it('reads pictures with their stamps and intrinsics', async () => {
    const context = testContext({ name: 'rosbag' });
    const frames = (await play({ path: fixture }, context)) as ImageFrame[];
    expect(frames.map(({ seq, pts }) => [seq, pts])).toEqual(
      [0, 1, 2, 3, 4].map((n) => [n, BigInt(n) * 500_000_000n]),
    );
    expect(frames.map(({ data }) => data[0])).toEqual([0, 1, 2, 3, 4]);
    expect(frames[0]).toMatchObject({
      ...{ kind: 'image', width: 16, height: 12, format: 'rgb' },
      intrinsics: { fx: 20, fy: 20, cx: 8, cy: 6 },
    });
    expect(context.logs[0]?.message).toContain('reads /camera/image_raw (5 messages)');
  });

  it('plays a part of it', async () => {
    const part = await play({ path: fixture, from: '600ms', to: '1.5s' });
    expect((part as ImageFrame[]).map(({ data }) => data[0])).toEqual([2, 3]);
  });

  it('says what is wrong with a file, a topic or a kind', async () => {
    const folder = workplace();
    const cut = join(folder, 'cut.bag');
    writeFileSync(cut, readFileSync(fixture).subarray(0, 6000));
    await expect(play({ path: cut })).rejects.toThrow(
      /cut.bag is cut off or damaged: its index cannot be read; "rosbag reindex" may repair it$/,
    );
    await expect(play({ path: join(folder, 'none.bag') })).rejects.toThrow(/none.bag/);
    await expect(play({ path: fixture, as: 'depth' })).rejects.toThrow(/set "as: image"/);
    await expect(play({ path: fixture, topic: '/other' })).rejects.toThrow(
      /has no topic "\/other"/,
    );
  });

  it.each([
    ['', 'is empty'],
    ['no bag', 'is no bag of ROS 1'],
    ['#ROSBAG V1.2\n', 'is a bag of version 1; "rosbag fix" makes one of version 2.0 of it'],
    ['\x89MCAP0\r\n', 'is an MCAP file; read it with the source "mcap"'],
    ['SQLite format 3\0', 'is a bag of ROS 2 in SQLite; "ros2 bag convert" makes an MCAP file'],
  ])('says what a file is that begins with %j', async (text, what) => {
    const path = join(workplace(), 'other.bag');
    writeFileSync(path, text, 'latin1');
    await expect(play({ path })).rejects.toThrow(`other.bag ${what}`);
  });

  it('a message definition that cannot be read', async () => {
    const path = join(workplace(), 'definition.bag');
    const bag = readFileSync(fixture).toString('latin1');
    writeFileSync(path, bag.replaceAll('uint8 is_bigendian', 'uint8 ?s_bigendian'), 'latin1');
    await expect(play({ path })).rejects.toThrow(
      /image_raw \(sensor_msgs\/Image: its message definition cannot be read: [^\n]{5,60}\)/,
    );
  });

  it('a bag with an index of more than 2 GB does not end the process', async () => {
    const path = join(workplace(), 'large.bag');
    writeFileSync(path, readFileSync(fixture));
    // What is added is a hole, which needs no disk.
    truncateSync(path, 3 * 2 ** 30);
    await expect(play({ path })).rejects.toThrow(
      /large.bag is cut off or damaged: .*rosbag reindex/,
    );
  });

  it('names the file with a damaged chunk', async () => {
    const path = join(workplace(), 'damaged.bag');
    const bag = readFileSync(fixture).toString('latin1').replaceAll('rgb8', 'xyz8');
    writeFileSync(path, bag, 'latin1');
    await expect(play({ path })).rejects.toThrow(
      /damaged.bag is damaged: a chunk of it cannot be read$/,
    );
  });

  it.skipIf(!hasRos1)('names an encoding that is not supported', async () => {
    const path = join(workplace(), 'other.bag');
    execFileSync('/usr/bin/python3', [script, path, 'none'], { timeout: 60_000 });
    const bag = readFileSync(path).toString('latin1').replaceAll('rgb8', 'xyz8');
    writeFileSync(path, bag, 'latin1');
    await expect(play({ path })).rejects.toThrow('pixel encoding "xyz8" is not supported');
  });

  it.skipIf(!hasRos1).each(['none', 'bz2', 'lz4'])('reads chunks of %s', async (compression) => {
    const path = join(workplace(), 'packed.bag');
    execFileSync('/usr/bin/python3', [script, path, compression], { timeout: 60_000 });
    const frames = await play({ path });
    expect(frames.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
  });

  it.skipIf(!hasRos1)('reads what "rosbag record" has recorded of the ros1 sink', async () => {
    const master = await startMaster();
    const metres = (seq: number) => depthFrame(8, 6, seq, (x, y) => (x === 0 ? 0 : 1 + y + seq));
    const publishing = await publishFrames(master, 20, metres);
    const folder = workplace();
    const path = join(folder, 'run.bag');
    const topic = '/camera/depth/image_raw';
    const { running, stop: end } = program(
      '/usr/bin/python3',
      ['-u', '/usr/bin/rosbag', 'record', '-O', path, topic],
      master.env,
    );
    await until(() => publishing.sent() > 30 || running.child.exitCode !== null);
    if (running.child.exitCode === null) await end();
    await publishing.stop();
    expect(existsSync(path)).toBe(true);
    const frames = (await play({ path, as: 'depth' })) as DepthFrame[];
    expect(frames.length).toBeGreaterThan(10);
    const first = ((frames[0] as DepthFrame).data[1] as number) - 1;
    for (const [i, { data, pts }] of frames.entries()) {
      expect(data).toEqual(metres(first + i).data);
      expect(pts).toBeGreaterThanOrEqual(frames[i - 1]?.pts ?? 0n);
    }
  });
});
