import { expect, test } from 'vitest';
import type { Failure } from '../../src/gstreamer/failure.ts';
import { explainFailure } from '../../src/gstreamer/failures.ts';
import { howToInstall } from '../../src/gstreamer/packages.ts';

const cases: [string, Omit<Failure, 'phase'>, RegExp][] = [
  [
    'busy camera',
    {
      message: 'Could not open device',
      element: '/GstPipeline:pipeline0/GstV4l2Src:v4l2src0',
      debug: 'v4l2.c(1): f ():\nCall to S_FMT failed: Device or resource busy',
    },
    /element v4l2src0\); another program is using the camera/,
  ],
  [
    'missing decoder',
    { message: 'Your GStreamer installation is missing a plug-in.', missing: ['H.265 decoder'] },
    /lacks a decoder \(H.265 decoder\): install gstreamer1.0-libav/,
  ],
  [
    'camera daemon',
    {
      message: 'TIMEOUT',
      element: '/GstPipeline:pipeline0/GstNvArgusCameraSrc:nvarguscamerasrc0',
      debug: 'x\nArgus Error Status',
    },
    /restart nvargus-daemon/,
  ],
  [
    'rejected caps',
    {
      message: 'Internal data stream error.',
      debug: 'x\nstreaming stopped, reason not-negotiated (-4)',
    },
    /try other values/,
  ],
  [
    'sound only',
    {
      message: 'Your GStreamer installation is missing a plug-in.',
      debug: 'a.c(1): f ():\nMissing decoder: Vorbis (audio/x-vorbis, rate=(int)1, x)',
    },
    /: Missing decoder: Vorbis \(audio\/x-vorbis\); the file has an audio track only/,
  ],
  [
    'encoded video',
    { message: 'could not link x264enc0 to videoconvert0' },
    /must end in raw video, but x264enc0/,
  ],
  ['wrong password', { message: 'Unauthorized' }, /user name and password/],
];

test.each(cases)('%s', (_, failure, message) => {
  expect(explainFailure('camera', { phase: 'run', ...failure })).toMatch(message);
});

test('with no reason given, the last line of the log is', () => {
  const failure = { phase: 'run', message: 'the pipeline stopped without saying why' } as const;
  const log =
    '0:00:00.051872001  3050     0x341bcf60 WARN     v4l2 v4l2.c:1:f:<s> error: no such ioctl\n0:00:01.0 1 0x1 WARN other\n';
  expect(explainFailure('camera', failure, log)).toBe(
    'camera failed: the pipeline stopped without saying why [v4l2 v4l2.c:1:f:<s> error: no such ioctl]',
  );
});

test.each([
  ['x264enc', 'gstreamer1.0-plugins-ugly'],
  ['avdec_h264', 'gstreamer1.0-libav'],
  ['v4l2src', 'gstreamer1.0-plugins-good'],
  ['gdppay', 'gstreamer1.0-plugins-bad'],
  ['glcolorscale', 'gstreamer1.0-gl'],
  ['videoscale', 'gstreamer1.0-plugins-base'],
  ['nvvidconv', 'JetPack'],
  ['nosuch', 'apt-file'],
])('%s is in %s', (element, name) => expect(howToInstall(element)).toContain(name));

test('an element that refuses data is named with its reason, not the one that sends it', () => {
  const log = [
    '0:00:00.1 1 0x1 WARN jpegdec gstjpegdec.c:1:f:<jpegdec0> reading the header failed, 0',
    '0:00:00.1 1 0x1 WARN videodecoder v.c:1:f:<jpegdec0> error: Failed to decode JPEG image',
    '0:00:00.1 1 0x1 WARN videodecoder v.c:1:f:<jpegdec0> error: unsupported colourspace',
    '0:00:00.1 1 0x1 WARN avidemux a.c:1:f:<avidemux0> error: Internal data stream error.',
    '0:00:00.1 1 0x1 WARN avidemux a.c:1:f:<avidemux0> error: streaming stopped, reason error (-5)',
  ].join('\n');
  const failure = {
    phase: 'run',
    message: 'Internal data stream error.',
    element: '/GstPipeline:pipeline0/GstAviDemux:avidemux0',
  } as const;
  expect(explainFailure('video "a.avi"', failure, log)).toMatch(
    /^video "a.avi" failed: Failed to decode JPEG image: unsupported colourspace \(element jpegdec0\); the video is damaged/,
  );
  expect(explainFailure('video "a.avi"', failure)).toMatch(
    /Internal data stream error \(element avidemux0\)/,
  );
});
