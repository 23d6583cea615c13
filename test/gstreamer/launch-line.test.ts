import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Engine, Fusion } from '../../src/core/fusion.ts';
import { loadGStreamer } from '../../src/gstreamer/binding.ts';
import { fraction } from '../../src/gstreamer/fraction.ts';
import { launchLine, quote } from '../../src/gstreamer/launch-line.ts';
import { fc } from '../support/property.ts';

const head = { line: 'videotestsrc' };
const waits = { live: false };
const queue = (more = '') => `queue${more} max-size-buffers=1 max-size-bytes=0 max-size-time=0`;
const send = 'gdppay ! fdsink fd=4 sync=false enable-last-sample=false';
const end = `${queue()} ! ${send}`;

const resize = (over: Partial<Extract<Fusion, { do: 'resize' }>> = {}): Fusion => ({
  do: 'resize',
  width: 224,
  height: 224,
  fit: 'stretch',
  on: 'auto',
  ...over,
});

describe('launch line', () => {
  test('without fused operators converts and sends', () => {
    expect(launchLine(head, [], waits, ['cpu'])).toBe(
      `videotestsrc ! videoconvert ! video/x-raw,format=RGB ! ${end}`,
    );
  });

  test('a picture of unknown size is measured where it is cropped or resized', () => {
    const tee = 'videotestsrc ! tee name=depthline-tee ! videoscale';
    const line = launchLine(head, [resize()], waits, ['cpu']);
    expect(line).toContain(tee);
    expect(line).toMatch(/ depthline-tee\. ! fakesink name=depthline-picture [^!]*$/);
    const known = { ...head, size: { width: 640, height: 480 } };
    expect(launchLine(known, [resize()], waits, ['cpu'])).not.toContain('tee');
    const flip: Fusion = { do: 'flip', axis: 'both' };
    expect(launchLine(head, [flip], waits, ['cpu'])).not.toContain('tee');
  });

  test('a camera keeps only the newest picture', () => {
    expect(launchLine(head, [], { live: true }, ['cpu'])).toContain(
      'leaky=downstream max-size-buffers=1',
    );
  });

  test('a paced source waits for each picture’s time', () => {
    expect(launchLine(head, [], { live: true, paced: true }, ['cpu'])).toContain(
      '! identity sync=true ! queue',
    );
  });

  const cases: [string, Fusion[], Engine[], string][] = [
    [
      'stretch',
      [resize()],
      ['cpu'],
      'videoscale method=bilinear2 add-borders=false ! video/x-raw,width=224,height=224',
    ],
    [
      'letterbox',
      [resize({ fit: 'letterbox' })],
      ['cpu'],
      'videoscale method=bilinear2 add-borders=true ! video/x-raw,width=224,height=224,pixel-aspect-ratio=1/1',
    ],
    [
      'crop',
      [resize({ fit: 'crop', width: 320, height: 240 })],
      ['cpu'],
      'aspectratiocrop aspect-ratio=4/3 ! videoscale',
    ],
    ['view', [resize({ view: 4 / 3 })], ['cpu'], 'aspectratiocrop aspect-ratio=4/3 ! videoscale'],
    [
      'view, which takes the place of crop',
      [resize({ view: 4 / 3, fit: 'crop' })],
      ['cpu'],
      'aspectratiocrop aspect-ratio=4/3 ! videoscale method=bilinear2 add-borders=false ! video/x-raw,width=224',
    ],
    [
      'flip',
      [{ do: 'flip', axis: 'both' }],
      ['cpu'],
      'videoconvert ! videoflip video-direction=180',
    ],
    [
      'crop region',
      [{ do: 'crop', region: { left: 3, top: 4, width: 50, height: 40 } }],
      ['cpu'],
      'videocrop left=3 right=-1 top=4 bottom=-1 ! video/x-raw,width=50,height=40',
    ],
    [
      'gl',
      [resize()],
      ['gl', 'cpu'],
      'glupload ! glcolorconvert ! glcolorscale ! video/x-raw(memory:GLMemory),format=RGBA,width=224,height=224 ! gldownload',
    ],
    [
      'letterbox, for which gl is passed over',
      [resize({ fit: 'letterbox' })],
      ['gl', 'cpu'],
      'videoscale',
    ],
    ['cuda', [resize()], ['cuda', 'gl', 'cpu'], 'cudaupload ! cudaconvertscale'],
    ['a named engine', [resize({ on: 'gl' })], ['cuda', 'gl', 'cpu'], 'glcolorscale'],
  ];
  test.each(cases)('%s', (_, fusions, engines, expected) => {
    expect(launchLine(head, fusions, waits, engines)).toContain(` ! ${expected}`);
  });

  test('a Jetson camera stays in video memory until it is small', () => {
    const camera = {
      line: 'nvarguscamerasrc',
      memory: 'nvmm' as const,
      size: { width: 1280, height: 720 },
    };
    const line = launchLine(
      camera,
      [{ do: 'flip', axis: 'horizontal' }, resize({ view: 4 / 3 })],
      { live: true },
      ['nvvidconv', 'cpu'],
    );
    expect(line).toBe(
      'nvarguscamerasrc ! nvvidconv flip-method=4 ! video/x-raw(memory:NVMM),width=1280,height=720' +
        ' ! nvvidconv left=160 right=1120 top=0 bottom=720 ! video/x-raw(memory:NVMM),width=960,height=720' +
        ' ! nvvidconv ! video/x-raw,format=RGBA,width=224,height=224 ! videoconvert ! video/x-raw,format=RGB' +
        ` ! ${queue(' leaky=downstream')} ! ${send}`,
    );
  });

  test('decoded pictures are fetched from a Jetson’s video memory, and only there', () => {
    const file = { line: 'uridecodebin', memory: 'decoded' as const };
    expect(launchLine(file, [], waits, ['nvvidconv', 'cpu'])).toContain(
      'uridecodebin ! nvvidconv ! video/x-raw !',
    );
    expect(launchLine(file, [], waits, ['cpu'])).not.toContain('nvvidconv');
  });

  test.each(['nvvidconv', 'cuda', 'va', 'gl'] as const)(
    '%s says what it needs when it is absent',
    (on) => {
      expect(() => launchLine(head, [resize({ on })], waits, ['cpu'])).toThrow(
        new RegExp(`${on} needs`),
      );
    },
  );

  test('letterbox on an engine that cannot names another', () => {
    const fusion = resize({ on: 'gl', fit: 'letterbox' });
    expect(() => launchLine(head, [fusion], waits, ['gl', 'cpu'])).toThrow(/"on: cpu"/);
  });
});

describe('values', () => {
  test('a fraction is exact for the usual aspects and close for others', () => {
    expect(fraction(4 / 3)).toBe('4/3');
    expect(fraction(30)).toBe('30/1');
    expect(fraction(30000 / 1001)).toBe('30000/1001');
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1000, noNaN: true }), (x) => {
        const [n, d] = fraction(x).split('/').map(Number) as [number, number];
        expect(Math.abs(n / d - x) / x).toBeLessThan(1e-3);
      }),
    );
  });

  test('no string can break out of a quoted value', () => {
    const { Pipeline } = loadGStreamer();
    const strings = [
      'a b',
      'it"s',
      'back\\slash',
      '! fakesrc',
      '" ! videotestsrc name=evil ! "',
      'ü',
      "'",
      'x="y"',
      '\\"',
      'a\nb',
      '#',
      '\\',
    ];
    const any = fc.string({ unit: 'grapheme', minLength: 1 }).filter((s) => !s.includes('\0'));
    const check = (text: string) => {
      // GStreamer itself takes a value between quotes as quoted once more; our values never are.
      if (text.startsWith('"') || text === 'NULL') return;
      const pipeline = new Pipeline(`filesrc name=f location=${quote(text)} ! fakesink`);
      expect(pipeline.findChild('f')?.location).toBe(text);
      expect(pipeline.findChild('evil')).toBeUndefined();
    };
    for (const text of strings) check(text);
    fc.assert(fc.property(any, check), { numRuns: 100 });
    expect(() => quote('a\0b')).toThrow(/NUL/);
  });

  test('the elements of the cpu path exist, as they do in GStreamer 1.14', () => {
    for (const element of [
      'videoconvert',
      'videoscale',
      'videocrop',
      'aspectratiocrop',
      'videoflip',
      'identity',
      'gdppay',
      'queue',
      'fdsink',
      'tee',
      'fakesink',
    ]) {
      execFileSync('gst-inspect-1.0', ['--exists', element], { timeout: 60_000 });
    }
  });
});
