import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DepthFrame, Frame, ImageFrame } from '../../src/core/frame.ts';
import type { BranchAccount, Drop } from '../../src/core/run-stats.ts';
import { compressions } from '../../src/mcap/compression.ts';
import { mcap as mcapSource } from '../../src/sources/mcap.ts';
import { dataFrame, depthFrame, imageFrame, pointsFrame } from '../../src/testing/sample-frames.ts';
import { VirtualClock } from '../../src/testing.ts';
import { workplace } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { playFrames, recordFrames } from '../support/mcap.ts';
import { writeBag } from '../support/ros2-bag.ts';

const second = 1_000_000_000n;

function place(): string {
  return join(workplace(), 'run.mcap');
}

/** What only the replay gives. */
function withoutReplay<F extends Frame>({ capturedAt: _, source: __, ...frame }: F) {
  return frame;
}

/** A frame with everything that one can carry. */
function rich(seq: number): DepthFrame {
  const view = { left: 1, top: 2, width: 30, height: 20, source: { width: 64, height: 48 } };
  const image: ImageFrame = {
    ...imageFrame(16, 12, seq),
    ...{ view, intrinsics: { fx: 14.1, fy: 14.2, cx: 7.3, cy: 5.4 }, name: 'a b.png' },
  };
  const picture = { ...imageFrame(32, 24, seq), format: 'rgb' as const, view, name: 'a b.png' };
  return {
    ...depthFrame(16, 12, seq, (x, y) => (x + y) / 7),
    ...{ view: { ...view, flip: 'horizontal' as const }, name: 'a b.png', image, picture },
    intrinsics: { fx: 1 / 3, fy: 0.1, cx: 7.25, cy: 5 },
    truth: { width: 16, height: 12, data: new Float32Array(192).fill(1.25) },
    model: { name: 'fastdepth', sha256: 'ab'.repeat(32) },
    range: [0.1, 10],
  };
}

describe.each(['ros2', 'foxglove'] as const)('a recording of encoding %s', (encoding) => {
  it.each(compressions)('with %s gives back every frame as it was', async (compression) => {
    const path = place();
    const frames = [0, 1, 5].map(rich);
    // Chunks of one frame and of several.
    await recordFrames(path, frames, { encoding, compression, chunk: '10kB' });
    const depth = (await playFrames({ path, as: 'depth' })) as DepthFrame[];
    expect(depth.map(({ seq, pts }) => [seq, pts])).toEqual(
      frames.map(({ seq, pts }) => [seq, pts]),
    );
    for (const [i, frame] of depth.entries()) {
      const { image, picture, ...rest } = withoutReplay(frame);
      const { image: sent, picture: whole, ...others } = withoutReplay(frames[i] as DepthFrame);
      expect(rest).toEqual(others);
      expect(withoutReplay(image as ImageFrame)).toEqual(withoutReplay(sent as ImageFrame));
      expect(withoutReplay(picture as ImageFrame)).toEqual(withoutReplay(whole as ImageFrame));
    }
    const images = await playFrames({ path });
    const { truth } = frames[0] as DepthFrame;
    expect(images.map(withoutReplay)).toEqual(
      frames.map(({ image }) => ({ ...withoutReplay(image as ImageFrame), truth })),
    );
  });

  it('points and data', async () => {
    const path = place();
    const colors = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const points = { ...pointsFrame(0), colors };
    const data = dataFrame(1, { list: [1, 'ü', null] });
    await recordFrames(path, [points], { encoding });
    expect((await playFrames({ path, as: 'points' })).map(withoutReplay)).toEqual([
      withoutReplay(points),
    ]);
    const other = place();
    await recordFrames(other, [data], { encoding });
    expect((await playFrames({ path: other, as: 'data' })).map(withoutReplay)).toEqual([
      withoutReplay(data),
    ]);
  });
});

describe('numbers and times', () => {
  it('drops come again, with their reasons', async () => {
    const path = place();
    const drops: Drop[] = [];
    const account = (): BranchAccount => {
      const counts = { captured: 0, added: 0, delivered: 0, inFlight: 0, failed: 0 };
      return { name: 'mcap', ...counts, dropped: drops };
    };
    const stats = testContext().runStats();
    const context = testContext({
      name: 'mcap',
      baseDirectory: workplace(),
      runStats: () => ({ ...stats, branches: [{ ...account(), ageMs: 0 }] }),
    });
    const { mcap } = await import('../../src/sinks/mcap.ts');
    const sink = await mcap.create(mcap.options.parse({ path }), context);
    await sink?.write(imageFrame(8, 6, 0));
    drops.push({ stage: 'cam', reason: 'at capture', count: 2 });
    await sink?.write(imageFrame(8, 6, 3));
    drops.push({ stage: 'mcap queue', reason: 'newer frame', count: 1 });
    await context.close();
    const replay = testContext({ name: 'mcap' });
    const frames = await playFrames({ path }, replay);
    expect(frames.map(({ seq }) => seq)).toEqual([0, 3]);
    expect([...replay.drops]).toEqual([
      ['at capture', 2],
      ['newer frame', 1],
    ]);
  });

  it('loops go on with numbers and times', async () => {
    const path = place();
    await recordFrames(
      path,
      [0, 1].map((seq) => imageFrame(8, 6, seq)),
    );
    const context = testContext();
    const source = await mcapSource.create(mcapSource.options.parse({ path, loop: true }), context);
    const { firstValueFrom, take, toArray } = await import('rxjs');
    const frames = await firstValueFrom(source.pipe(take(5), toArray()));
    expect(frames.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    for (let i = 1; i < 5; i++) {
      const step = Number((frames[i] as Frame).pts - (frames[i - 1] as Frame).pts) / 1e6;
      expect(step).toBeCloseTo(33.3, 0);
    }
    await context.close();
  });

  it('from and to', async () => {
    const path = place();
    await recordFrames(
      path,
      Array.from({ length: 90 }, (_, seq) => imageFrame(8, 6, seq)),
      {
        chunk: '1kB',
      },
    );
    const frames = await playFrames({ path, from: '1s', to: '1.5s' });
    expect(frames.map(({ seq }) => seq)).toEqual(Array.from({ length: 16 }, (_, i) => 30 + i));
    await expect(playFrames({ path, from: '10s' })).rejects.toThrow('no frame in that time');
  });

  it.each([1, 4])('at speed %d each frame comes at its time', async (speed) => {
    const path = place();
    const offsets = [0n, 100n, 150n, 400n].map((ms) => ms * 1_000_000n);
    const frames = offsets.map((pts, seq) => ({
      ...imageFrame(8, 6, seq),
      ...{ pts, capturedAt: 1_700_000_000n * second + pts },
    }));
    await recordFrames(path, frames);
    const clock = new VirtualClock();
    const context = testContext({ clock });
    const options = mcapSource.options.parse({ path, pace: 'recorded', speed });
    const source = await mcapSource.create(options, context);
    const times: number[] = [];
    const start = clock.now();
    const done = new Promise<void>((resolve, reject) =>
      source.subscribe({
        next: () => times.push(clock.now() - start),
        complete: resolve,
        error: reject,
      }),
    );
    // Reading is real, waiting is not: time moves when a frame is waited for.
    while (times.length < 4) {
      const before = times.length;
      await clock.advance(12.5);
      if (times.length === before) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await done;
    const first = times[0] as number;
    const expected = offsets.map((pts) => Number(pts) / 1e6 / speed);
    for (const [i, time] of times.entries())
      expect(time - first).toBeGreaterThanOrEqual((expected[i] as number) - 12.5);
    await context.close();
  });

  it('waits while the pipeline is full, and loses nothing', async () => {
    const path = place();
    await recordFrames(
      path,
      [0, 1, 2].map((seq) => imageFrame(8, 6, seq)),
    );
    const context = testContext();
    context.gate.hold('test');
    const source = await mcapSource.create(mcapSource.options.parse({ path }), context);
    const seen: number[] = [];
    const done = new Promise<void>((resolve) =>
      source.subscribe({ next: ({ seq }) => seen.push(seq), complete: resolve }),
    );
    await new Promise(setImmediate);
    expect(seen).toEqual([]);
    context.gate.release('test');
    await done;
    expect(seen).toEqual([0, 1, 2]);
    await context.close();
  });
});

describe('files', () => {
  it('several of a glob follow each other', async () => {
    const folder = workplace();
    const frames = Array.from({ length: 12 }, (_, seq) => imageFrame(64, 48, seq));
    await recordFrames(join(folder, 'run.mcap'), frames, {
      ...{ compression: 'none', chunk: '1kB', 'rotate-size': '30kB' },
    });
    const context = testContext({ baseDirectory: folder });
    const played = await playFrames({ path: 'run*.mcap' }, context);
    expect(played.map(({ seq, pts }) => [seq, pts])).toEqual(
      frames.map(({ seq, pts }) => [seq, pts]),
    );
    // Times count from the start of the first file.
    const part = await playFrames({ path: join(folder, 'run*.mcap'), from: '150ms', to: '300ms' });
    expect(part.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9]);
    await expect(playFrames({ path: join(folder, 'no*.mcap') })).rejects.toThrow('no file matches');
  });

  it.each([
    ['no file', undefined, /there is no file/],
    ['something else', 'text', /is not an MCAP file/],
    ['an empty file', '', /run.mcap is empty/],
    ['a bag of ROS 1', '#ROSBAG V2.0\n', /is a bag of ROS 1; read it with the source "rosbag"/],
    ['a bag in SQLite', 'SQLite format 3\0', /is a bag of ROS 2 in SQLite; "ros2 bag convert"/],
  ])('%s', async (_, text, message) => {
    const path = place();
    if (text !== undefined) writeFileSync(path, text);
    await expect(playFrames({ path })).rejects.toThrow(message);
  });

  it('a folder', async () => {
    const path = place();
    mkdirSync(path);
    await expect(playFrames({ path })).rejects.toThrow('is a directory');
  });

  it('that is cut off is read to its last whole chunk, with a warning', async () => {
    const path = place();
    const frames = Array.from({ length: 20 }, (_, seq) => imageFrame(64, 48, seq));
    await recordFrames(path, frames, { chunk: '20kB', compression: 'none' });
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    const context = testContext({ baseDirectory: join(path, '..') });
    const played = await playFrames({ path }, context);
    expect(played.length).toBeGreaterThan(5);
    expect(played.length).toBeLessThan(20);
    expect(played.map(({ seq }) => seq)).toEqual(played.map((_, i) => i));
    expect(context.logs.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('"run.mcap" is cut off: it was read to its last whole chunk'),
    );
  });

  it('that is damaged says where', async () => {
    const path = place();
    const frames = Array.from({ length: 20 }, (_, seq) => imageFrame(64, 48, seq));
    await recordFrames(path, frames, { chunk: '20kB', compression: 'none' });
    const bytes = readFileSync(path);
    bytes.fill(0xff, 100_000, 100_100);
    writeFileSync(path, bytes);
    await expect(playFrames({ path })).rejects.toThrow(
      /is damaged at byte \d+: Incorrect chunk CRC/,
    );
  });

  it('with lengths of more than 2 GB does not end the process', async () => {
    const path = place();
    await recordFrames(path, [imageFrame()]);
    const bytes = readFileSync(path);
    const size = 2 ** 31 + bytes.length;
    const footer = Buffer.from(bytes.subarray(-37));
    footer.writeBigUInt64LE(8n, 9);
    const file = openSync(path, 'r+');
    // What is between is a hole, which needs no disk.
    writeSync(file, footer, 0, footer.length, size - footer.length);
    expect(await playFrames({ path })).toHaveLength(1);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n ** 31n - 1n);
    writeSync(file, length, 0, length.length, 9);
    closeSync(file);
    await expect(playFrames({ path })).rejects.toThrow(/damaged at byte 8: a record of \d+ bytes/);
  });

  it('whose head claims to be larger than the file is cut off', async () => {
    const path = place();
    await recordFrames(path, [imageFrame()]);
    const bytes = readFileSync(path);
    bytes.writeBigUInt64LE(2n ** 31n, 9);
    writeFileSync(path, bytes);
    await expect(playFrames({ path })).rejects.toThrow(
      /run.mcap is cut off before its first whole chunk: there is nothing to read or to recover/,
    );
  });

  it('lists topics with strange names on one line, and says which schema cannot be read', async () => {
    const path = place();
    const cdr = { messageEncoding: 'cdr', logTime: 1n, data: Uint8Array.of(0, 1, 0, 0) };
    const unknown = { name: 'my/Type', encoding: 'ros2msg', data: Buffer.from('int8 x') };
    const broken = {
      name: 'sensor_msgs/msg/Image',
      encoding: 'ros2msg',
      data: Buffer.from('?\n?'),
    };
    await writeBag(
      path,
      [
        { ...cdr, topic: '', schema: unknown },
        { ...cdr, topic: '/a\nb', schema: unknown },
        { ...cdr, topic: '/x'.repeat(5000), schema: unknown },
        { ...cdr, topic: '/image', schema: broken },
      ],
      { profile: 'ros2', library: 'other', compression: '' },
    );
    const message = await playFrames({ path }).catch((error: Error) => error.message);
    expect(message).toContain('it has "" (my/Type), "/a\\nb" (my/Type), ');
    expect(message).toMatch(/\/image \(sensor_msgs\/msg\/Image: its schema cannot be read: .+\)$/);
    expect(message).not.toContain('\n');
    expect((message as string).length).toBeLessThan(1000);
  });

  it('without the kind that is asked for says what it has', async () => {
    const path = place();
    await recordFrames(path, [imageFrame()]);
    await expect(playFrames({ path, as: 'depth' })).rejects.toThrow(
      'has no depth; set "as: image"',
    );
  });
});
