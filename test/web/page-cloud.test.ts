import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PLYLoader } from 'three/examples/jsm/loaders/PLYLoader.js';
import { describe, expect, it } from 'vitest';
import type { DepthFrame } from '../../src/core/frame.ts';
import { intrinsicsOfFieldOfView, scaleIntrinsics } from '../../src/depth/intrinsics.ts';
import { unproject } from '../../src/depth/unproject.ts';
import { decodeRgb } from '../../src/imaging/decode.ts';
import { workplace } from '../support/cli.ts';
import { feed, livePages, saved, slope, state } from '../support/live-page.ts';

const { open, live } = livePages();

const intrinsics = { fx: 30, fy: 28, cx: 14, cy: 12.5 };
const calibrated = (seq: number): DepthFrame => ({ ...slope(seq), intrinsics });

function ply(path: string): { position: number[]; color: number[] } {
  const loader = new PLYLoader();
  // As its `color`, the reader would convert them to linear light.
  loader.setCustomPropertyNameMapping({ rgb: ['red', 'green', 'blue'] });
  const { position, rgb } = loader.parse(new Uint8Array(readFileSync(path)).buffer).attributes;
  return { position: [...(position?.array ?? [])], color: [...(rgb?.array ?? [])] };
}

/** Largest distance of any coordinate, metres. */
const apart = (a: readonly number[], b: ArrayLike<number>) =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

async function showCloud(page: Page): Promise<void> {
  await page.getByRole('radio', { name: 'Point cloud' }).check();
  await page.locator('#cloud-panel canvas').waitFor();
}

/** What the 3-D view shows, RGB of `width × height`. */
async function drawn(page: Page) {
  const path = join(workplace(), 'cloud.png');
  await page.locator('#cloud-panel').screenshot({ path });
  const { width, height, data } = await decodeRgb(path);
  return { width, height, data };
}

const [lightGround, darkGround] = [
  [230, 233, 238],
  [10, 12, 15],
];

/** Share of the pixels that are not background. */
function covered({ data }: { data: Uint8Array }, ground: readonly number[]): number {
  let n = 0;
  for (let i = 0; i < data.length; i += 3) {
    if (ground.some((value, c) => Math.abs((data[i + c] as number) - value) > 6)) n++;
  }
  return n / (data.length / 3);
}

describe('the point cloud of the page', () => {
  it('is saved as the points of the depth, by the intrinsics of the frame', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    const seq = await feed(sink, page, calibrated);
    await page.getByRole('button', { name: 'Pause' }).click();
    const file = await saved(page, 'Save points');
    expect(file.name).toBe(`points-${seq}.ply`);
    const { position, color } = ply(file.path);
    const frame = calibrated(seq);
    const expected = unproject(frame, intrinsics, 1, frame.image);
    expect(position).toHaveLength(31 * 24 * 3);
    expect(apart(position, expected.data)).toBeLessThan(0.001);
    // The picture arrives as a JPEG.
    expect(color).toHaveLength(31 * 24 * 3);
  });

  it('of frames without intrinsics is that of the field of view that the page names', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    const squeezed = (seq: number): DepthFrame => ({
      ...slope(seq),
      view: { left: 0, top: 0, width: 640, height: 360, source: { width: 640, height: 360 } },
    });
    const seq = await feed(sink, page, squeezed);
    await showCloud(page);
    await page.getByLabel('Field of view, assumed').fill('75');
    const file = await saved(page, 'Save points');
    expect(file.name).toBe(`points-${seq}-fov75.ply`);
    const seen = { width: 640, height: 360 };
    const frame = slope(seq);
    const camera = scaleIntrinsics(intrinsicsOfFieldOfView(75, seen), seen, frame);
    expect(apart(ply(file.path).position, unproject(frame, camera, 1).data)).toBeLessThan(0.001);
  });

  it('is drawn where the intrinsics put it, and turned by mouse and keys', async () => {
    const { sink, address } = await open();
    const page = await live(address, { colorScheme: 'dark' });
    await feed(sink, page, calibrated);
    await showCloud(page);
    expect(await page.getByLabel('Field of view, assumed').isVisible()).toBe(false);
    await expect.poll(async () => covered(await drawn(page), darkGround)).toBeGreaterThan(0.05);
    const start = await drawn(page);
    const differs = async () => Buffer.compare((await drawn(page)).data, start.data) !== 0;
    const panel = page.getByRole('application', { name: 'Point cloud' });
    await panel.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(differs).toBe(true);
    await page.keyboard.press('ArrowRight');
    await expect.poll(differs).toBe(false);
    for (const key of ['+', 'ArrowUp']) await page.keyboard.press(key);
    await expect.poll(differs).toBe(true);
    await page.keyboard.press('Home');
    await expect.poll(differs).toBe(false);
    const box = await panel.boundingBox();
    const [x, y] = [(box?.x ?? 0) + 300, (box?.y ?? 0) + 200];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 120, y + 40, { steps: 4 });
    await page.mouse.up();
    await expect.poll(differs).toBe(true);
    await page.getByRole('button', { name: 'Reset view' }).click();
    await expect.poll(differs).toBe(false);
    // Other intrinsics, another place.
    const wide = (seq: number) => ({ ...calibrated(seq), intrinsics: { ...intrinsics, fx: 15 } });
    await feed(sink, page, (seq) => wide(seq + 1000));
    await expect.poll(differs).toBe(true);
  });

  it('has the colours of the picture or of the depth, also without a picture', async () => {
    const { sink, address } = await open();
    const page = await live(address, { colorScheme: 'light' });
    await feed(sink, page, calibrated);
    await showCloud(page);
    await expect.poll(async () => covered(await drawn(page), lightGround)).toBeGreaterThan(0.05);
    const pictured = await drawn(page);
    await page.getByLabel('Colours of the points').selectOption('depth');
    const changed = async () => Buffer.compare((await drawn(page)).data, pictured.data) !== 0;
    await expect.poll(changed).toBe(true);
    await page.getByLabel('Colours of the points').selectOption('picture');
    await expect.poll(changed).toBe(false);
    await feed(sink, page, (seq) => {
      const { image: _, ...bare } = calibrated(seq + 1000);
      return bare;
    });
    await expect.poll(changed).toBe(true);
    expect(covered(await drawn(page), lightGround)).toBeGreaterThan(0.05);
  });

  it('is not made of relative depth', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await showCloud(page);
    await feed(sink, page, (seq) => ({ ...calibrated(seq), unit: 'relative' }));
    await page.getByText('Relative depth has no points in metres.').waitFor();
    expect(await page.getByRole('button', { name: 'Save points' }).isDisabled()).toBe(true);
  });

  it('is not drawn without WebGL 2, and the page says why', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    await page.evaluate('HTMLCanvasElement.prototype.getContext = () => null');
    await page.getByRole('radio', { name: 'Point cloud' }).check();
    await page.getByText(/^No point cloud: .*WebGL/).waitFor();
    // The frames go on.
    await page.reload();
    await state(page, 'live');
    await feed(sink, page, calibrated);
  });

  it('loads its library only when it is shown', async () => {
    const { sink, address } = await open();
    const page = await live(address);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await feed(sink, page, calibrated);
    await page.getByRole('radio', { name: 'Blend' }).check();
    expect(asked).toEqual([]);
    await showCloud(page);
    expect(asked).toEqual([expect.stringMatching(/^\/assets\/cloud-[\w-]+\.js$/)]);
  });
});
