import { expect, test } from 'vitest';
import { argusModes } from '../../../src/gstreamer/cameras/argus-cameras.ts';
import { v4l2Modes } from '../../../src/gstreamer/cameras/v4l2-cameras.ts';

test('the modes that Argus prints are numbered in their order', () => {
  const printed = `Setting pipeline to PLAYING ...
GST_ARGUS: Creating output stream
GST_ARGUS: Available Sensor modes :
GST_ARGUS: 3264 x 2464 FR = 21.000000 fps Duration = 47619048 ; Analog Gain range min 1.000000, max 10.625000;

GST_ARGUS: 1280 x 720 FR = 59.999999 fps Duration = 16666667 ; Analog Gain range min 1.000000, max 10.625000;

GST_ARGUS: Running with following settings:
`;
  expect(argusModes(printed)).toEqual([
    { mode: 0, width: 3264, height: 2464, fps: [21] },
    { mode: 1, width: 1280, height: 720, fps: [60] },
  ]);
  expect(argusModes('No cameras available\n')).toEqual([]);
});

test('v4l2-ctl’s formats, sizes and intervals become modes', () => {
  const printed = `ioctl: VIDIOC_ENUM_FMT
	Type: Video Capture

	[0]: 'MJPG' (Motion-JPEG, compressed)
		Size: Discrete 1920x1080
			Interval: Discrete 0.067s (15.000 fps)
			Interval: Discrete 0.033s (30.000 fps)
		Size: Discrete 640x480
			Interval: Discrete 0.033s (29.970 fps)
	[1]: 'YUYV' (YUYV 4:2:2)
		Size: Stepwise 48x32 - 1600x1200 with step 2/2
			Interval: Continuous 0.017s - 1.000s (1.000-60.000 fps)
`;
  expect(v4l2Modes(printed)).toEqual([
    { format: 'MJPG', width: 1920, height: 1080, fps: [30, 15] },
    { format: 'MJPG', width: 640, height: 480, fps: [29.97] },
    { format: 'YUYV', width: 1600, height: 1200, fps: [60] },
  ]);
  expect(v4l2Modes('')).toEqual([]);
});
