import { describe, expect, test } from 'vitest';
import { codecs, encodersFor } from '../../../src/gstreamer/output/encoders.ts';
import { probe } from '../../../src/gstreamer/probe/probe.ts';

const settings = { quality: 80, bitrate: undefined, width: 224, height: 224 };
const elements = (...args: Parameters<typeof encodersFor>) =>
  encodersFor(...args).map(({ element }) => element);

test('auto prefers h264, and mp4 takes nothing else', () => {
  expect(elements('auto', 'mkv')).toEqual(['x264enc', 'openh264enc', 'vp8enc', 'jpegenc']);
  expect(elements('auto', 'mp4')).toEqual(['x264enc', 'openh264enc']);
  expect(elements('mjpeg', 'mkv')).toEqual(['jpegenc']);
  expect(elements('vp8', 'mp4')).toEqual([]);
});

describe.each(codecs)('%s', (codec) => {
  test.each([
    { ...settings },
    { ...settings, quality: 1 },
    { ...settings, quality: 100 },
    { ...settings, bitrate: 800 },
  ])('encodes with quality $quality, bitrate $bitrate', async (given) => {
    for (const { element, line } of encodersFor(codec, 'mkv')) {
      const head =
        'videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=224,height=224,framerate=30/1';
      const problem = await probe(`${head} ! ${line(given)} ! matroskamux ! fakesink`);
      expect(`${element}: ${problem}`).toBe(`${element}: undefined`);
    }
  });
});
