import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DepthFrame, ImageFrame } from '../../src/core/frame.ts';
import { fromResiduals } from '../../src/depth/residuals.ts';
import { encodeJpeg } from '../../src/imaging/encode.ts';
import { LiveFrame } from '../../src/web/live-frame.ts';
import { unpackLive } from '../../src/web/live-message.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';

async function sent(frame: DepthFrame | ImageFrame) {
  const live = new LiveFrame(
    frame,
    (image) => encodeJpeg(image, 80),
    () => 12.34,
  );
  const message = await live.message();
  const { header, depth, picture } = unpackLive(Uint8Array.from(message).buffer);
  const steps = depth && header.depth && fromResiduals(inflateRawSync(depth), header.depth);
  return { header, picture, steps };
}

describe('a frame for the page', () => {
  it('has depth in whole millimetres; what is not valid is 0', async () => {
    const frame = depthFrame(3, 2, 7, (x, y) => [1.2345, Number.NaN, 80][x] ?? y);
    const { header, steps } = await sent(frame);
    expect(header).toMatchObject({ seq: 7, ageMs: 12.3, aspect: 1.5 });
    expect(header.depth).toMatchObject({ width: 3, height: 2, step: 0.001, unit: 'm' });
    expect(header.picture).toBeUndefined();
    expect([...(steps ?? [])]).toEqual([1235, 0, 65_535, 1235, 0, 65_535]);
  });

  it('has the picture of the depth as a JPEG', async () => {
    const { header, picture } = await sent({ ...depthFrame(8, 6), image: imageFrame(16, 12) });
    expect(header.picture).toMatchObject({ width: 16, height: 12, bytes: picture?.length });
    expect([...(picture ?? []).slice(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
  });

  it('is a picture alone, without depth', async () => {
    const { header, steps } = await sent(imageFrame(16, 12));
    expect(header.depth).toBeUndefined();
    expect(header.picture).toMatchObject({ width: 16, height: 12 });
    expect(steps).toBeUndefined();
  });

  it.each([1e-9, 0.25, 900, 1e12])(
    'has relative depth of any scale in steps of its own: up to %d',
    async (most) => {
      const frame = depthFrame(3, 1, 0, (x) => [0, most / 2, most][x] as number);
      const { header, steps } = await sent({ ...frame, unit: 'relative' });
      expect(header.depth?.unit).toBe('relative');
      expect([...(steps ?? [])]).toEqual([0, 32_768, 65_535]);
      expect((header.depth?.step ?? 0) * 65_535).toBeCloseTo(most, -Math.log10(most) + 5);
    },
  );

  it('is encoded once, however many take it', async () => {
    let encodings = 0;
    const live = new LiveFrame(
      imageFrame(),
      async () => {
        encodings++;
        return new Uint8Array(3);
      },
      () => 0,
    );
    expect(encodings).toBe(0);
    await Promise.all([live.message(), live.message()]);
    expect(encodings).toBe(1);
  });
});
