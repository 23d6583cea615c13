import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImageFrame } from '../../src/core/frame.ts';
import type { Fusion } from '../../src/core/fusion.ts';
import { argusProperties } from '../../src/gstreamer/argus/properties.ts';
import { csiCamera } from '../../src/sources/csi-camera.ts';
import { conformsAsSource } from '../../src/testing.ts';
import { depthline } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { noStandIns, useStandIns, withStandIn } from '../support/jetson.ts';

const plan = (given: Record<string, unknown>, fused: readonly Fusion[] = []) =>
  csiCamera.launchLine?.(csiCamera.options.parse(given), { fused, baseDirectory: '.' });

const resize = (width: number, height: number, over: Partial<Fusion> = {}): Fusion =>
  ({ do: 'resize', width, height, fit: 'stretch', on: 'auto', ...over }) as Fusion;

describe('launch line', () => {
  test('the picture stays in video memory until nvvidconv converts it', async () => {
    const line = await plan({ sensor: 1, mode: 2, width: 1920, height: 1080, fps: 60 });
    expect(line?.split(' ! queue')[0]).toBe(
      'nvarguscamerasrc sensor-id=1 sensor-mode=2' +
        ' ! video/x-raw(memory:NVMM),format=NV12,width=1920,height=1080,framerate=60/1' +
        ' ! nvvidconv ! video/x-raw,format=RGBA,width=1920,height=1080' +
        ' ! videoconvert ! video/x-raw,format=RGB',
    );
  });

  test('a turned camera is turned by nvvidconv, and its size is stated', async () => {
    expect(await plan({ flip: 'rotate-180' })).toContain(
      ' ! nvvidconv flip-method=2 ! video/x-raw(memory:NVMM),width=1280,height=720 ! ',
    );
    expect(await plan({ flip: 'rotate-left', width: 640, height: 480 })).toContain(
      ' ! nvvidconv flip-method=1 ! video/x-raw(memory:NVMM),width=480,height=640 ! ',
    );
  });

  test('has no element that GStreamer 1.14 of JetPack 4 lacks', async () => {
    const old = ['videoconvert', 'videoscale', 'videoflip', 'videocrop', 'aspectratiocrop'];
    const known = ['nvarguscamerasrc', 'nvvidconv', ...old, 'queue', 'gdppay', 'fdsink'];
    const lines = await Promise.all([
      plan({ flip: 'rotate-left' }, [resize(224, 224, { view: 4 / 3 } as never)]),
      plan({}, [resize(128, 128, { fit: 'letterbox' } as never), { do: 'flip', axis: 'vertical' }]),
      plan({}, [resize(96, 96, { on: 'cpu', fit: 'crop' } as never)]),
      plan({}, [{ do: 'crop', region: { left: 4, top: 4, width: 64, height: 64 } }]),
    ]);
    const elements = lines.flatMap((line) =>
      (line ?? '').split(' ! ').map((part) => part.trim().split(' ')[0] as string),
    );
    expect(elements).toContain('nvvidconv');
    expect(elements).toContain('videoscale');
    const others = elements.filter((name) => !name.startsWith('video/') && !known.includes(name));
    expect(others).toEqual([]);
  });

  test.each([
    ['nothing resizes', [], '1280,height=720'],
    ['224×224', [resize(224, 224)], '960,height=540'],
    ['224×224 of a view of 4:3', [resize(224, 224, { view: 4 / 3 } as never)], '960,height=540'],
    ['320×180', [resize(320, 180)], '640,height=360'],
    ['640×480 cut out', [resize(640, 480, { fit: 'crop' } as never)], '1920,height=1080'],
    ['640×640 with borders', [resize(640, 640, { fit: 'letterbox' } as never)], '1280,height=720'],
    [
      'a crop that counts in pixels',
      [{ do: 'crop', region: { left: 0, top: 0, width: 64, height: 64 } }, resize(32, 32)],
      '1280,height=720',
    ],
    ['more than any usual size', [resize(4000, 4000)], '3840,height=2160'],
  ] as [string, Fusion[], string][])('asks for twice the size: %s', async (_, fused, size) => {
    expect(await plan({}, fused)).toContain(`format=NV12,width=${size},framerate=30/1`);
    expect(csiCamera.pictureSize?.(csiCamera.options.parse({}), fused)?.width).toBe(
      Number(size.split(',')[0]),
    );
  });

  test('intrinsics and a size that is given keep their size', async () => {
    const intrinsics = { 'field-of-view': 60 };
    expect(await plan({ intrinsics }, [resize(64, 64)])).toContain('width=1280,height=720');
    expect(await plan({ width: 800, height: 600 }, [resize(64, 64)])).toContain('width=800');
    expect(csiCamera.options.safeParse({ width: 800 }).error?.message).toMatch(/width and height/);
  });

  test('a rate with a fraction is asked for exactly, and what to expect is said', async () => {
    expect(await plan({ fps: 29.97 })).toContain('framerate=30000/1001');
    const warnings = csiCamera.warnings?.(csiCamera.options.parse({ fps: 29.97 }), '.');
    expect(warnings?.[0]).toMatch(/asked for as 30000\/1001.*expect 29 frames.*set fps to 30/);
    expect(csiCamera.warnings?.(csiCamera.options.parse({ fps: 30 }), '.')).toEqual([]);
  });

  test.each([
    [{ 'exposure-time': { min: '2ms', max: '1ms' } }, /min must not exceed max/],
    [{ 'exposure-time': { min: '0ms', max: '1ms' } }, /longer than 0/],
    [{ 'exposure-time': { min: '1ms', max: '61s' } }, /must not exceed 60s/],
    [{ gain: { min: 8, max: 2 } }, /min must not exceed max/],
    [{ gain: { min: 0.5, max: 2 } }, /1/],
    [{ 'digital-gain': { min: 1, max: 257 } }, /256/],
    [{ 'exposure-compensation': 2.5 }, /2/],
    [{ saturation: -1 }, /0/],
    [{ 'white-balance': 'moonlight' }, /daylight/],
    [{ 'noise-reduction': {} }, /mode, strength or both/],
    [{ 'edge-enhancement': { strength: 2 } }, /1/],
    [{ mode: -1 }, /0/],
  ])('%j is refused', (given, message) => {
    expect(csiCamera.options.safeParse(given).error?.message).toMatch(message);
  });
});

test('on a machine that is no Jetson it says so', async () => {
  const opening = csiCamera.create(csiCamera.options.parse({}), testContext());
  await expect(opening).rejects.toMatchObject({
    code: 'MISSING',
    message: expect.stringMatching(
      /CSI camera 0 failed: no element "nvarguscamerasrc"; nvarguscamerasrc needs a Jetson with JetPack/,
    ),
  });
});

if (noStandIns) console.warn(`csi-camera is not run through stand-ins: ${noStandIns}`);

describe.skipIf(noStandIns)('through stand-ins for the elements of a Jetson', () => {
  const folder = mkdtempSync(join(tmpdir(), 'csi-'));
  let done = () => {};
  beforeAll(() => {
    done = useStandIns();
  });
  afterAll(() => {
    done();
    rmSync(folder, { recursive: true });
  });

  async function frames(
    given: Record<string, unknown>,
    fused: readonly Fusion[] = [],
    count = 1,
  ): Promise<ImageFrame[]> {
    const context = testContext({ fused });
    try {
      const source = await csiCamera.create(csiCamera.options.parse(given), context);
      return (await firstValueFrom<unknown>(source.pipe(take(count), toArray()))) as ImageFrame[];
    } finally {
      await context.close();
    }
  }

  /** Mean brightness of a part of a picture: its stand-in brightens from left to right. */
  function mean({ data, width }: ImageFrame, columns: (x: number) => boolean): number {
    let [sum, n] = [0, 0];
    for (let at = 0; at < data.length; at += 3) {
      if (!columns((at / 3) % width)) continue;
      sum += (data[at] ?? 0) + (data[at + 1] ?? 0);
      n += 2;
    }
    return sum / n;
  }
  const brightensToTheRight = (frame: ImageFrame) =>
    mean(frame, (x) => x >= frame.width / 2) - mean(frame, (x) => x < frame.width / 2);

  const options: [string, Record<string, unknown>, string[]][] = [
    ['mode', { mode: 4 }, ['sensor-mode=4']],
    [
      'exposure-time',
      { 'exposure-time': { min: '0.1ms', max: '20ms' } },
      ['exposuretimerange=100000 20000000'],
    ],
    ['gain', { gain: { min: 1, max: 8.5 } }, ['gainrange=1 8.5']],
    ['digital-gain', { 'digital-gain': { min: 1, max: 4 } }, ['ispdigitalgainrange=1 4']],
    ['exposure-compensation', { 'exposure-compensation': -1.5 }, ['exposurecompensation=-1.5']],
    ['lock-exposure', { 'lock-exposure': true }, ['aelock=1']],
    ['lock-white-balance', { 'lock-white-balance': true }, ['awblock=1']],
    ['white-balance', { 'white-balance': 'shade' }, ['wbmode=8']],
    ['white-balance off', { 'white-balance': 'off' }, ['wbmode=0']],
    ['anti-banding', { 'anti-banding': '50Hz' }, ['aeantibanding=2']],
    [
      'noise-reduction',
      { 'noise-reduction': { mode: 'high-quality', strength: 0.5 } },
      ['tnr-mode=2', 'tnr-strength=0.5'],
    ],
    [
      'edge-enhancement',
      { 'edge-enhancement': { mode: 'off', strength: -1 } },
      ['ee-mode=0', 'ee-strength=-1'],
    ],
    ['saturation', { saturation: 1.25 }, ['saturation=1.25']],
    ['sensor', { sensor: 1 }, ['sensor-id=1']],
  ];
  test.each(options)('%s negotiates, arrives and delivers', async (_, given, arrives) => {
    const log = join(folder, 'properties');
    const settings = { STAND_IN_LOG: log, STAND_IN_CAMERAS: '2' };
    const [frame] = await withStandIn(settings, () =>
      frames({ ...given, width: 320, height: 180 }),
    );
    expect(frame).toMatchObject({ width: 320, height: 180 });
    for (const line of arrives) expect(readFileSync(log, 'utf8').split('\n')).toContain(line);
  });

  test('every control of the camera element is tried above', () => {
    const tried = options.flatMap(([, , arrives]) => arrives.map((line) => line.split('=')[0]));
    expect([...new Set(tried)].sort()).toEqual(
      [...Object.values(argusProperties), 'sensor-id'].sort(),
    );
  });

  const picture: [string, Record<string, unknown>, Fusion[], object, number][] = [
    ['as it is', {}, [], { width: 1280, height: 720 }, 1],
    ['rotate-180', { flip: 'rotate-180' }, [], { width: 1280, height: 720 }, -1],
    ['rotate-left', { flip: 'rotate-left' }, [], { width: 720, height: 1280 }, 0],
    ['rotate-right', { flip: 'rotate-right' }, [], { width: 720, height: 1280 }, 0],
    ['horizontal', { flip: 'horizontal' }, [], { width: 1280, height: 720 }, -1],
    ['vertical', { flip: 'vertical' }, [], { width: 1280, height: 720 }, 1],
    ['resized', {}, [resize(224, 224)], { width: 224, height: 224 }, 1],
    ['turned and resized', { flip: 'rotate-left' }, [resize(64, 64)], { width: 64, height: 64 }, 0],
    [
      'turned, flipped, cropped and resized',
      { flip: 'rotate-180' },
      [{ do: 'flip', axis: 'horizontal' }, resize(96, 96, { view: 4 / 3 } as never)],
      { width: 96, height: 96 },
      1,
    ],
    [
      'flipped and cropped',
      {},
      [
        { do: 'flip', axis: 'horizontal' },
        { do: 'crop', region: { left: 640, top: 0, width: 320, height: 200 } },
      ],
      { width: 320, height: 200 },
      -1,
    ],
    [
      'with borders, on the CPU',
      {},
      [resize(128, 128, { fit: 'letterbox' } as never)],
      { width: 128, height: 128 },
      1,
    ],
  ];
  test.each(picture)('a picture that is %s', async (_, given, fused, size, direction) => {
    const [frame] = await frames(given, fused);
    expect(frame).toMatchObject(size);
    const slope = brightensToTheRight(frame as ImageFrame);
    if (direction === 0) expect(Math.abs(slope)).toBeLessThan(15);
    else expect(slope * direction).toBeGreaterThan(20);
  });

  test('rotate-left brings the right side of the picture to the top, rotate-right to the bottom', async () => {
    const [left] = await frames({ flip: 'rotate-left', width: 64, height: 48 });
    const [right] = await frames({ flip: 'rotate-right', width: 64, height: 48 });
    const topOf = ({ data }: ImageFrame) => data[1] ?? 0;
    expect(topOf(left as ImageFrame)).toBeGreaterThan(topOf(right as ImageFrame) + 50);
  });

  test('a crop shows the pixels that were asked for', async () => {
    const crop = (left: number): Fusion => ({
      do: 'crop',
      region: { left, top: 100, width: 64, height: 48 },
    });
    const [dark] = await frames({}, [crop(0)]);
    const [bright] = await frames({}, [crop(1216)]);
    const all = () => true;
    expect(mean(bright as ImageFrame, all) - mean(dark as ImageFrame, all)).toBeGreaterThan(150);
  });

  test('scaling does not take the nearest pixel, where nvvidconv has a choice', async () => {
    const plans = async (env: Record<string, string>) =>
      (await depthline(['plan', 'csi-live'], { env })).stdout;
    const scaled = 'video/x-raw,format=RGBA,width=224,height=224';
    const usual = await plans({});
    expect(usual).toContain(`nvvidconv interpolation-method=5 ! ${scaled}`);
    expect(usual).toContain('format=NV12,width=960,height=540,framerate=30/1');
    expect(await plans({ STAND_IN_WITHOUT: 'interpolation-method' })).toContain(
      ` ! nvvidconv ! ${scaled}`,
    );
  });

  test('a fraction of a rate is dropped by the camera, as the warning says', async () => {
    const shown = await frames({ fps: 1.9, width: 64, height: 48 }, [], 3);
    const [first, , third] = shown.map(({ pts }) => Number(pts)) as [number, number, number];
    // One per second, not 1.9: arrival times, so with some leeway.
    expect((third - first) / 1e9).toBeGreaterThan(1.2);
  });

  const failures: [string, Record<string, unknown>, Record<string, string>, RegExp][] = [
    [
      'a rate above that of the mode',
      { fps: 120 },
      {},
      /ended without a single frame \[Frame Rate specified is greater than supported\]; .*lower "fps"/,
    ],
    [
      'no camera',
      {},
      { STAND_IN_CAMERAS: '0' },
      /ended without a single frame \[No cameras available\]; check the camera cable/,
    ],
    [
      'a camera number too high',
      { sensor: 3 },
      {},
      /\[Invalid camera device specified 3 specified, 1 cameras detected\]; check the camera cable/,
    ],
    [
      'an exposure that the sensor does not have',
      { 'exposure-time': { min: '1ms', max: '10s' } },
      {},
      /\[Invalid Exposure Time Range Input\]; the sensor does not support this value/,
    ],
    [
      'a gain that the sensor does not have',
      { gain: { min: 1, max: 99 } },
      {},
      /\[Invalid Gain Range Input\]; the sensor does not support this value/,
    ],
    [
      'a release without the control',
      { 'noise-reduction': { mode: 'off' } },
      { STAND_IN_WITHOUT: 'tnr-mode' },
      /no property "tnr-mode" .*remove the option "noise-reduction.mode" of csi-camera/,
    ],
    [
      'a camera daemon that is lost before the first frame',
      {},
      { STAND_IN_BREAKS: '0' },
      /\[Failed to create CaptureSession\]; .*restart nvargus-daemon|restart the camera daemon/,
    ],
  ];
  test.each(failures)('%s fails in the words of Argus', async (_, given, settings, message) => {
    const failing = withStandIn(settings, () => frames({ ...given }));
    await expect(failing).rejects.toThrow(message);
  });

  test('no registry of this user knows the stand-ins', () => {
    expect(existsSync(process.env.GST_REGISTRY ?? '')).toBe(true);
    expect(process.env.GST_REGISTRY).toContain('stand-ins-');
  });

  conformsAsSource(csiCamera, { options: { width: 64, height: 48 } }, { describe, test });
});
