import { expect, test } from 'vitest';
import { csiCamera } from '../../src/sources/csi-camera.ts';
import { testContext } from '../support/context.ts';

const plan = (given: Record<string, unknown>) =>
  csiCamera.launchLine?.(csiCamera.options.parse(given), { fused: [], baseDirectory: '.' });

test('the picture stays in video memory until nvvidconv converts it', async () => {
  expect(await plan({ sensor: 1, mode: 2, width: 1920, height: 1080, fps: 60 })).toBe(
    'nvarguscamerasrc sensor-id=1 sensor-mode=2' +
      ' ! video/x-raw(memory:NVMM),format=NV12,width=1920,height=1080,framerate=60/1' +
      ' ! nvvidconv ! video/x-raw,format=RGBA ! videoconvert ! video/x-raw,format=RGB' +
      ' ! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0' +
      ' ! gdppay ! fdsink fd=4 sync=false enable-last-sample=false',
  );
});

test('a turned camera is turned by nvvidconv', async () => {
  expect(await plan({ flip: 'rotate-180' })).toContain(
    ' ! nvvidconv flip-method=2 ! video/x-raw(memory:NVMM) ! ',
  );
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
