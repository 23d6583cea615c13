import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DepthFrame, Frame, Intrinsics, View } from '../../src/core/frame.ts';
import { viewIntrinsics, wholeView } from '../../src/depth/view.ts';
import { VirtualClock } from '../../src/runtime/virtual-clock.ts';
import { file } from '../../src/sinks/file.ts';
import { images } from '../../src/sources/images.ts';
import { testContext } from '../support/context.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { until } from '../support/gstreamer.ts';
import { writePicture } from '../support/pictures.ts';
import { pythonWith } from '../support/python.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recorded-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function record(given: object, frames: readonly Frame[]): Promise<void> {
  const context = testContext({ baseDirectory: folder });
  const sink = await file.create(file.options.parse({ directory: 'out', ...given }), context);
  for (const frame of frames) await sink?.write(frame);
  await context.close();
}

async function play(given: object, overrides: object = {}) {
  const context = testContext({ baseDirectory: folder, ...overrides });
  const options = images.options.parse({ path: 'out', as: 'depth', times: 'index', ...given });
  return { frames: await images.create(options, context), context };
}

async function all(given: object = {}): Promise<DepthFrame[]> {
  const { frames } = await play(given);
  return (await lastValueFrom(frames.pipe(toArray<Frame>()))) as DepthFrame[];
}

/** Frames of uneven numbers and times; depths that millimetres hold. */
const recorded = [0, 3, 4, 9].map((seq) => ({
  ...depthFrame(3, 2, seq, (x) => x * 0.5),
  pts: BigInt(seq * seq) * 10_000_000n,
}));
const identity = ({ seq, pts }: Frame) => [seq, pts];
const values = ({ kind, width, height, data }: DepthFrame) => ({ kind, width, height, data });

describe.each(['png16', 'npy'])('depth that file wrote as %s', (format) => {
  test('comes back with its numbers, times and values', async () => {
    await record({ format }, recorded);
    const played = await all();
    expect(played.map(identity)).toEqual(recorded.map(identity));
    expect(played.map(values)).toEqual(recorded.map(values));
  });

  test('without the index comes at a rate', async () => {
    await record({ format }, recorded);
    const { frames, context } = await play({ times: 'fps', fps: 10 });
    const played = (await lastValueFrom(frames.pipe(toArray<Frame>()))) as DepthFrame[];
    // Nothing is reported, not even the index.
    expect(context.logs).toEqual([]);
    expect(played.map(identity)).toEqual(
      [0n, 1n, 2n, 3n].map((n) => [Number(n), n * 100_000_000n]),
    );
    expect(played.map(values)).toEqual(recorded.map(values));
  });
});

test('relative depth stays relative, where one or the index says so', async () => {
  await record({ format: 'npy' }, [{ ...depthFrame(3, 2, 0), unit: 'relative' }]);
  expect((await all({ unit: 'relative' }))[0]?.unit).toBe('relative');
  expect((await all({ unit: 'm' }))[0]).not.toHaveProperty('unit');
  // The index of the file sink says it.
  expect((await all())[0]?.unit).toBe('relative');
  expect((await all({ times: 'fps' }))[0]?.unit).toBe('relative');
  expect((await all({ times: 'fps', unit: 'm' }))[0]).not.toHaveProperty('unit');
});

describe('the part of the picture that depth shows', () => {
  const camera = { fx: 1000, fy: 1010, cx: 640, cy: 355 };
  const source = { width: 1280, height: 720 };
  // The centre of 4:3, squeezed into a square, mirrored, with bars.
  const view: View = {
    ...{ left: 160, top: -30, width: 960, height: 780, source, flip: 'horizontal' },
    shown: { left: 200, top: 0, width: 900, height: 720 },
  };
  const size = { width: 8, height: 8 };
  const intrinsics = viewIntrinsics(camera, view, size);
  const cut: DepthFrame = { ...depthFrame(8, 8, 0), view, intrinsics };

  test.each(['fps', 'index'])('and the intrinsics come back, with times: %s', async (times) => {
    await record({}, [cut]);
    const [frame] = await all({ times });
    expect(frame?.view).toEqual(view);
    expect(rounded(frame?.intrinsics)).toEqual(rounded(intrinsics));
  });

  test('comes back for depth and picture of an RGB-D set, each at its size', async () => {
    const image = { ...imageFrame(16, 16), view, intrinsics: viewIntrinsics(camera, view, cut) };
    await record({ layout: 'rgbd' }, [{ ...cut, image }]);
    const [frame] = await all();
    expect([frame?.view, frame?.image?.view]).toEqual([view, view]);
    const larger = viewIntrinsics(camera, view, { width: 16, height: 16 });
    expect(rounded(frame?.image?.intrinsics)).toEqual(rounded(larger));
    const [picture] = await all({ as: 'image' });
    expect([picture?.kind, picture?.view]).toEqual(['image', view]);
  });

  test('stays without intrinsics, which may be given for the source’s picture', async () => {
    await record({ format: 'npy' }, [{ ...depthFrame(8, 8, 0), view }]);
    expect((await all())[0]).toMatchObject({ view });
    expect((await all())[0]).not.toHaveProperty('intrinsics');
    const [given] = await all({ intrinsics: camera });
    expect(rounded(given?.intrinsics)).toEqual(rounded(intrinsics));
  });

  test('is all of it where the index says nothing', async () => {
    await record({ format: 'npy' }, [depthFrame(8, 4, 0)]);
    expect(readFileSync(join(folder, 'out/index.csv'), 'utf8')).toMatch(/,m,,\n$/);
    expect((await all())[0]?.view).toEqual(wholeView({ width: 8, height: 4 }));
  });

  test('is not taken from a line that was cut off or damaged', async () => {
    await record({}, [cut, { ...cut, seq: 1 }]);
    const path = join(folder, 'out/index.csv');
    const text = readFileSync(path, 'utf8');
    for (const damaged of [text.slice(0, -4), text.replace(/1280(?=[^\n]*\n$)/, '0')]) {
      writeFileSync(path, damaged);
      expect((await all()).map(({ seq }) => seq)).toEqual([0]);
    }
  });
});

const rounded = (k: Intrinsics | undefined) =>
  k && Object.values(k).map((value) => Number(value.toFixed(6)));

test('frames keep the names of the pictures they came from', async () => {
  const names = ['kitchen.jpg', 'b, "c".jpg'];
  await record(
    { names: 'source' },
    names.map((name, seq) => ({ ...depthFrame(2, 2, seq), name })),
  );
  expect((await all()).map(({ name }) => name)).toEqual(names);
  expect((await all({ times: 'fps' })).map(({ name }) => name)).toEqual([
    'b, "c".png',
    'kitchen.png',
  ]);
});

test('an RGB-D set gives depth with its pictures', async () => {
  const image = (seq: number) => imageFrame(4, 4, seq);
  await record(
    { layout: 'rgbd', format: 'png' },
    recorded.map((frame) => ({ ...frame, image: image(frame.seq) })),
  );
  const played = await all();
  expect(played.map(identity)).toEqual(recorded.map(identity));
  expect(played.map(({ image }) => image?.data)).toEqual(
    recorded.map(({ seq }) => image(seq).data),
  );
  const pictures = await all({ as: 'image' });
  expect(pictures.map(identity)).toEqual(recorded.map(identity));
  expect(pictures.map(({ truth }) => truth?.data)).toEqual(recorded.map(({ data }) => data));
});

test('in real time frames come at the intervals of the recording', async () => {
  await record({}, recorded);
  const clock = new VirtualClock();
  const { frames, context } = await play({ realtime: true }, { clock });
  const times: number[] = [];
  frames.subscribe(() => times.push(clock.now()));
  await until(() => times.length === 1);
  for (const [n, ms] of [89, 1, 70, 649, 1].entries()) {
    await clock.advance(ms);
    if (n !== 0 && n !== 3) await until(() => times.length === [1, 2, 3, 3, 4][n]);
  }
  expect(times).toEqual([0, 90, 160, 810]);
  await context.close();
});

test('a second recording and a loop continue numbers and times', async () => {
  await record({}, recorded.slice(0, 2));
  await record({}, recorded.slice(0, 2));
  expect((await all()).map(identity)).toEqual([
    [0, 0n],
    [3, 90_000_000n],
    [4, 123_333_333n],
    [7, 213_333_333n],
  ]);
  const { frames } = await play({ loop: true, fps: 100 });
  const looped = (await lastValueFrom(frames.pipe(take(6), toArray<Frame>()))) as DepthFrame[];
  expect(looped.slice(4).map(identity)).toEqual([
    [8, 200_000_000n],
    [11, 290_000_000n],
  ]);
});

test('only files in the index are read, and the others reported', async () => {
  await record({}, recorded);
  await record({ directory: 'more' }, [depthFrame(3, 2, 50)]);
  execFileSync('cp', [join(folder, 'more/000050.png'), join(folder, 'out')]);
  const { frames, context } = await play({});
  await lastValueFrom(frames);
  expect(context.logs.map(({ message }) => message).join()).toContain(
    '1 file ignored: out/000050.png',
  );
});

describe('what NumPy writes', () => {
  const save = (name: string, expression: string) => {
    mkdirSync(join(folder, 'out'), { recursive: true });
    const code = `import sys, numpy as np; np.save(sys.argv[1], ${expression})`;
    execFileSync(pythonWith('numpy'), ['-c', code, join(folder, 'out', name)], {
      timeout: 60_000,
    });
  };

  test.each([
    ['float32 metres', "np.array([[1.5, 0], [2, 3]], 'f4')"],
    ['float64 metres', "np.array([[1.5, 0], [2, 3]], 'f8')"],
    ['uint16 millimetres', "np.array([[1500, 0], [2000, 3000]], 'u2')"],
  ])('is read: %s', async (_, expression) => {
    save('a.npy', expression);
    const [frame] = await all({ times: 'fps' });
    expect([...(frame?.data ?? [])]).toEqual([1.5, 0, 2, 3]);
    expect(frame).toMatchObject({ width: 2, height: 2 });
  });

  test.each([
    ['points', "np.zeros((4, 3, 3), 'f4')", /it holds <f4 of shape \(4, 3, 3\), where depth is/],
    ['bytes', "np.zeros((4, 3), 'u1')", /it holds \|u1 of shape \(4, 3\)/],
    ['nothing', "np.zeros((0, 3), 'f4')", /shape \(0, 3\)/],
    ['columns first', "np.asfortranarray(np.ones((4, 3), 'f4'))", /in Fortran order/],
    ['big-endian', "np.ones((4, 3), '>f4')", /it holds >f4/],
  ])('is refused where it is not depth: %s', async (_, expression, message) => {
    save('a.npy', expression);
    await expect(all({ times: 'fps' })).rejects.toThrow(message);
  });

  test('is refused where it is damaged', async () => {
    save('a.npy', "np.ones((4, 3), 'f4')");
    execFileSync('truncate', ['-s', '-1', join(folder, 'out/a.npy')]);
    await expect(all({ times: 'fps' })).rejects.toThrow(/cut off: 47 bytes of data instead of 48/);
    writeFileSync(join(folder, 'out/a.npy'), 'not a file of NumPy');
    await expect(all({ times: 'fps' })).rejects.toThrow(/it is not a NumPy file/);
  });
});

describe('what is missing is said', () => {
  test('no index', async () => {
    await record({}, recorded);
    rmSync(join(folder, 'out/index.csv'));
    await expect(all()).rejects.toThrow(/no index\.csv in .*set "times: fps"/);
  });

  test('an index of other files', async () => {
    await record({}, recorded);
    writeFileSync(join(folder, 'out/index.csv'), 'seq,pts,capturedAt,files,name\n0,0,0,x.png,\n');
    await expect(all()).rejects.toThrow(/lists none of the 4 files/);
  });

  test('no depth', async () => {
    mkdirSync(join(folder, 'out'));
    await expect(all({ times: 'fps' })).rejects.toThrow(/no depth found at "out"/);
  });

  test('pictures in place of depth', async () => {
    mkdirSync(join(folder, 'out'), { recursive: true });
    await writePicture(join(folder, 'out', 'a.png'), 4, 4, 0);
    await expect(all({ times: 'fps' })).rejects.toThrow(/where depth is a 16-bit grey PNG/);
  });

  test('ground truth of depth is refused', () => {
    const { error } = images.options.safeParse({ path: 'out', as: 'depth', depth: 'truth' });
    expect(error?.issues[0]?.message).toMatch(/is the ground truth of pictures/);
  });
});
