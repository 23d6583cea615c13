import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import { FrameFiles, fileFormats } from '../../src/files/frame-files.ts';
import * as encoders from '../../src/imaging/encode.ts';
import { base, depthFrame, imageFrame } from '../support/frames.ts';

const image = imageFrame(4, 3, 0);
const depth = depthFrame(4, 3, 0);
const points: Frame = { kind: 'points', ...base(), count: 1, data: Float32Array.of(1, 2, 3) };
const data: Frame = { kind: 'data', ...base(), value: { near: 1 } };
const all: readonly Frame[] = [depth, image, points, data];

const files = (options: Partial<ConstructorParameters<typeof FrameFiles>[0]>) =>
  new FrameFiles({ format: 'png16', layout: 'flat', quality: 90, ...options }, encoders);

describe('a format', () => {
  it.each([
    ['png16', ['depth']],
    ['npy', ['depth', 'image', 'points']],
    ['png', ['image']],
    ['jpeg', ['image']],
    ['ply', ['points']],
    ['json', ['data']],
  ] as const)('%s holds %j', (format, kinds) => {
    const held = all.filter((frame) => {
      try {
        return files({ format }).of(frame, '000000').length === 1;
      } catch (error) {
        expect((error as Error).message).toMatch(`format ${format} cannot hold ${frame.kind}`);
        return false;
      }
    });
    expect(held.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('gives the ending', () => {
    const endings = {
      png16: 'png',
      npy: 'npy',
      png: 'png',
      jpeg: 'jpg',
      ply: 'ply',
      json: 'json',
    };
    const held = { json: data, png16: depth, ply: points, png: image, jpeg: image, npy: image };
    for (const format of fileFormats) {
      const [part] = files({ format }).of(held[format], 'stem');
      expect(part?.name).toBe(`stem.${endings[format]}`);
    }
  });

  it('json is one line', () => {
    const [part] = files({ format: 'json' }).of(data, '0');
    expect(Buffer.from(part?.encode() as Uint8Array).toString()).toBe('{"near":1}\n');
  });
});

describe('layout rgbd', () => {
  const { width, height, data: metres } = depth;
  const truth = { width, height, data: metres };

  it.each([
    ['jpeg', 'rgb/a.jpg'],
    ['png', 'rgb/a.png'],
    ['png16', 'rgb/a.png'],
  ] as const)('with %s writes %s and depth/a.png', (format, picture) => {
    const rgbd = files({ layout: 'rgbd', format });
    const names = (frame: Frame) => rgbd.of(frame, 'a').map(({ name }) => name);
    expect(names({ ...image, truth })).toEqual([picture, 'depth/a.png']);
    expect(names({ ...depth, image })).toEqual([picture, 'depth/a.png']);
  });

  it.each(all)('refuses a frame without both: $kind', (frame) => {
    expect(() => files({ layout: 'rgbd' }).of(frame, 'a')).toThrow(
      /layout rgbd needs a picture and its depth, but the/,
    );
  });
});
