import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Film, type FilmSettings } from '../../src/synthetic/film.ts';
import { motions } from '../../src/synthetic/motion.ts';

const settings: FilmSettings = {
  seed: 5,
  width: 64,
  height: 48,
  aspect: 4 / 3,
  fps: 30,
  motion: 'walk',
  fieldOfView: [65, 65],
  noise: 0.3,
};

function digest({ rgb, depth }: { rgb: Uint8Array; depth: Float32Array }): string {
  return createHash('sha256')
    .update(rgb)
    .update(new Uint8Array(depth.buffer))
    .digest('hex')
    .slice(0, 16);
}

test('a film is the same on every machine', () => {
  const film = new Film(settings);
  expect([0, 40].map((index) => digest(film.shoot(index)))).toEqual([
    '000a283e2771b874',
    '19967020d7e04639',
  ]);
});

test('a frame depends on the settings and its number, not on the frames before', () => {
  const whole = new Film({ ...settings, framesPerRoom: 2, motion: 'views' });
  const frames = [0, 1, 2, 3].map((index) => digest(whole.shoot(index)));
  const late = new Film({ ...settings, framesPerRoom: 2, motion: 'views' });
  expect(digest(late.shoot(3))).toBe(frames[3]);
  expect(new Set(frames).size).toBe(4);
  const other = new Film({ ...settings, framesPerRoom: 2, motion: 'views', seed: 6 });
  expect(digest(other.shoot(0))).not.toBe(frames[0]);
});

test.each(motions)('motion %s keeps clear of walls and furniture', (motion) => {
  const film = new Film({ ...settings, motion, noise: 0 });
  for (let index = 0; index < 300; index += 30) {
    const { depth } = film.shoot(index);
    expect(depth.every((z) => z > 0.06)).toBe(true);
  }
});

test('a steady camera without noise gives the same picture; a moving one changes it smoothly', () => {
  const still = new Film({ ...settings, motion: 'static', noise: 0 });
  expect(digest(still.shoot(0))).toBe(digest(still.shoot(50)));
  const moving = new Film({ ...settings, noise: 0 });
  const [a, b, later] = [0, 1, 60].map((index) => moving.shoot(index).depth);
  const apart = (other: Float32Array) =>
    a!.reduce((sum, z, i) => sum + Math.abs(z - other[i]!), 0) / a!.length;
  expect(apart(b!)).toBeGreaterThan(0);
  expect(apart(b!)).toBeLessThan(0.1);
  expect(apart(later!)).toBeGreaterThan(apart(b!));
});

test('the right eye sees each point at its disparity, in the same row', () => {
  const pair = { baseline: [0.12, 0.12], mismatch: 0 } as const;
  const { width, height } = settings;
  const film = new Film({ ...settings, noise: 0, motion: 'views', stereo: pair });
  const shot = film.shoot(3);
  const right = shot.right!;
  let [seen, agree] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const there = x - (right.baseline * shot.intrinsics.fx) / shot.depth[at]!;
      if (there < 0) continue;
      seen++;
      // Between the two nearest pixels, with room for what neither of them shows at an edge.
      const [a, b] = [Math.floor(there), Math.min(width - 1, Math.ceil(there))].map(
        (column) => right.rgb[3 * (y * width + column) + 1]!,
      );
      const green = shot.rgb[3 * at + 1]!;
      if (green >= Math.min(a!, b!) - 12 && green <= Math.max(a!, b!) + 12) agree++;
    }
  }
  expect(seen).toBeGreaterThan(0.7 * width * height);
  expect(agree / seen).toBeGreaterThan(0.95);
});

test('the left eye of a pair is the film without the right one; eyes differ by mismatch alone', () => {
  const alone = new Film({ ...settings, noise: 0 }).shoot(1);
  const of = (mismatch: number) =>
    new Film({ ...settings, noise: 0, stereo: { baseline: [0.001, 0.001], mismatch } }).shoot(1);
  const [same, different] = [of(0), of(1)];
  expect(same.rgb).toEqual(alone.rgb);
  expect(same.depth).toEqual(alone.depth);
  const apart = ({ rgb, right }: typeof same) =>
    rgb.reduce((sum, value, i) => sum + Math.abs(value - right!.rgb[i]!), 0) / rgb.length;
  expect(apart(same)).toBeLessThan(2);
  expect(apart(different)).toBeGreaterThan(2 * apart(same));
});
