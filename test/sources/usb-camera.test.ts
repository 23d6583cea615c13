import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { loadGStreamer } from '../../src/gstreamer/binding.ts';
import { usbCamera } from '../../src/sources/usb-camera.ts';
import { testContext } from '../support/context.ts';

const plan = async (given: Record<string, unknown>) =>
  (await usbCamera.launchLine?.(usbCamera.options.parse(given), {
    fused: [],
    baseDirectory: '.',
  })) ?? '';

test.each([
  [
    'auto',
    ' ! video/x-raw,width=800,height=600,framerate=15/1;image/jpeg,width=800,height=600,framerate=15/1 ! decodebin ! ',
  ],
  ['mjpeg', ' ! image/jpeg,width=800,height=600,framerate=15/1 ! jpegdec ! '],
  ['yuyv', ' ! video/x-raw,format=YUY2,width=800,height=600,framerate=15/1 ! '],
])('format %s', async (format, part) => {
  const line = await plan({ device: '/dev/video3', width: 800, height: 600, fps: 15, format });
  expect(line).toContain(`v4l2src device="/dev/video3"${part}`);
  expect(() => new (loadGStreamer().Pipeline)(line)).not.toThrow();
});

test('a device name cannot add elements', async () => {
  const line = await plan({ device: '/dev/video0" ! videotestsrc name="evil' });
  const pipeline = new (loadGStreamer().Pipeline)(line);
  expect(pipeline.findChild('evil')).toBeUndefined();
});

describe('without a camera', () => {
  test('a missing device is named with those there are', async () => {
    const options = usbCamera.options.parse({ device: '/dev/video98' });
    await expect(usbCamera.create(options, testContext())).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(
        /no camera \/dev\/video98: this machine has (no )?\/dev\/video/,
      ),
    });
  });

  test.each(['/tmp', fileURLToPath(import.meta.url)])('%s is not a device', async (device) => {
    for (const wait of [false, true]) {
      const options = usbCamera.options.parse({ device, 'wait-for-source': wait });
      await expect(usbCamera.create(options, testContext())).rejects.toMatchObject({
        code: 'SOURCE',
        message: expect.stringMatching(/is not a camera device: this machine has/),
      });
    }
  });

  test('a missing device can be waited for, and takes no more than its pauses', async () => {
    const context = testContext();
    const options = usbCamera.options.parse({
      device: '/dev/video98',
      'wait-for-source': true,
      restart: { limit: 3, 'max-delay': '1ms' },
    });
    await expect(lastValueFrom(await usbCamera.create(options, context))).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(/video98.* \(after 3 restarts\)/),
    });
    expect(context.away).toEqual([expect.any(BigInt)]);
    await context.close();
  });

  test('a device that is no camera fails with the reason', async () => {
    expect(existsSync('/dev/null')).toBe(true);
    const context = testContext();
    const frames = await usbCamera.create(
      usbCamera.options.parse({ device: '/dev/null' }),
      context,
    );
    await expect(lastValueFrom(frames)).rejects.toMatchObject({
      code: 'SOURCE',
      message: expect.stringMatching(
        /USB camera \/dev\/null failed: .*\/dev\/null.*element v4l2src/,
      ),
    });
    expect(context.counts.restarts).toEqual([]);
    await context.close();
  });
});
