import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { builtins } from '../../src/builtins.ts';
import type { SourceDefinition } from '../../src/core/component.ts';
import { definePipeline } from '../../src/pipeline/pipeline.ts';
import { parsePipeline } from '../../src/pipeline/pipeline-file.ts';
import { discard } from '../../src/sinks/discard.ts';
import { stereo } from '../../src/sources/stereo.ts';
import { testPattern } from '../../src/sources/test-pattern.ts';
import { cameraInfo } from '../support/calibrations.ts';

const folder = mkdtempSync(join(tmpdir(), 'stereo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const eye = { width: 32, height: 24, f: 30, cy: 11.5, rectifiedCx: 15.5 };

describe('problems', () => {
  const problem = (options: object) => {
    try {
      definePipeline({ source: stereo(options), sinks: [discard()] });
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  test('are reported at the option of the nested source', () => {
    expect(
      problem({ left: testPattern({ frames: 1 }), right: testPattern({ many: 2 } as never) }),
    ).toMatch(/source\.stereo\.right\.test-pattern.*many/);
    expect(problem({ left: testPattern({ frames: 1 }) })).toContain('needs either left and right');
    expect(problem({ left: { 'test-pattern': {} }, right: { 'test-pattern': {} } })).toContain(
      'call the component',
    );
  });

  const inFile = async (source: string) => {
    const text = `source:\n  stereo: ${source}\nsinks:\n  - discard: {}\n`;
    const { problems } = await parsePipeline(text, join(folder, 'p.yaml'), { registry: builtins });
    return problems.map(({ message }) => message);
  };

  test('of a nested source hide none beside it', async () => {
    const found = await inFile(
      '{ left: { usb-camra: {} }, right: { images: { pth: right } }, max-skew: soon, calibraton: rig.yaml }',
    );
    expect(found).toEqual([
      'unknown source "usb-camra"; did you mean "usb-camera"?',
      'unknown option "pth"; did you mean "path"?',
      expect.stringContaining('max-skew: is not a duration'),
      'unknown option "calibraton"; did you mean "calibration"?',
    ]);
    expect(await inFile('{ side-by-side: { images: { pth: both } }, max-skew: soon }')).toEqual([
      'unknown option "pth"; did you mean "path"?',
      expect.stringContaining('max-skew: is not a duration'),
    ]);
    expect(await inFile('{ left: { usb-camera: {} }, right: no-camera }')).toHaveLength(1);
  });

  test('of the calibration are found before the cameras are opened', async () => {
    const from = (device: string, width: number) =>
      `{ usb-camera: { device: ${device}, width: ${width}, height: 24 } }`;
    const pair = (width: number, calibration: string) =>
      inFile(
        `{ left: ${from('/dev/null', width)}, right: ${from('/dev/zero', width)}, calibration: ${calibration} }`,
      );
    const files = `[${join(folder, 'left.yaml')}, ${join(folder, 'right.yaml')}]`;
    writeFileSync(join(folder, 'left.yaml'), cameraInfo({ ...eye, cx: 15.5 }));
    writeFileSync(join(folder, 'right.yaml'), cameraInfo({ ...eye, cx: 17.5, tx: -3 }));
    expect(await pair(32, files)).toEqual([]);
    expect(await pair(32, 'none.yaml')).toEqual([expect.stringContaining('cannot be read')]);
    expect(await pair(48, files)).toEqual([
      expect.stringContaining('is for pictures of 32×24, and these are 48×24'),
    ]);
  });

  test('a calibration with an absolute path is protected like any file that is read', () => {
    const { reads } = builtins.get('stereo', 'source') as SourceDefinition;
    expect(reads?.({ calibration: '/rigs/rig.yaml' }, '/pipelines')).toMatchObject([
      { path: '/rigs/rig.yaml' },
    ]);
  });

  test('a skew that allows of two partners is warned of', () => {
    const { warnings, options } = builtins.get('stereo', 'source') as SourceDefinition;
    const eye = (fps: number) => {
      const definition = builtins.get('usb-camera', 'source') as SourceDefinition;
      return { definition, options: definition.options.parse({ device: '/dev/video0', fps }) };
    };
    const warned = (maxSkew: string, fps = 30) =>
      warnings?.(options.parse({ left: eye(15), right: eye(fps), 'max-skew': maxSkew }), folder);
    expect(warned('16ms')).toEqual([]);
    expect(warned('17ms')).toEqual([expect.stringContaining('(16.7 ms)')]);
    expect(warned('10ms', 60)).toHaveLength(1);
  });
});
