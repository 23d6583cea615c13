import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ImageFrame } from '../../src/core/frame.ts';
import { scaleNearest } from '../../src/depth/geometry.ts';
import { encodeDepthPng, encodePng } from '../../src/imaging/encode.ts';
import { DepthEstimator } from '../../src/inference/estimator.ts';
import { Film } from '../../src/synthetic/film.ts';
import { depthline, workplace } from '../support/cli.ts';
import { imageFrame } from '../support/frames.ts';
import { putModel } from '../support/models.ts';

const size = { width: 160, height: 120 };

interface Room {
  /** Its inverse depth as shades of grey, 9 % wrong here and there. */
  readonly picture: ImageFrame;
  readonly depth: Float32Array;
}

/**
 * Rendered rooms as a relative network sees them: the fixture model `open-size` gives 111·shade + 1000 of
 * these pictures, so that the scale and shift of its inverse depth are unknown to the calibration.
 */
function rooms(count: number): Room[] {
  const film = new Film({
    ...{ seed: 41, ...size, aspect: 4 / 3, fps: 30, noise: 0, framesPerRoom: 1 },
    ...{ motion: 'views', fieldOfView: [65, 65] },
  });
  return Array.from({ length: count }, (_, room) => {
    const { depth } = film.shoot(room);
    const picture = imageFrame(size.width, size.height, room, (x, y) => {
      const wrong = 1 + 0.09 * Math.sin(x / 7 + room) * Math.cos(y / 5);
      const shade = 20 + (90 * wrong) / (depth[y * size.width + x] as number);
      const byte = Math.round(Math.min(255, shade));
      return [byte, byte, byte];
    });
    return { picture, depth };
  });
}

let cwd: string;
let known: readonly Room[];
let others: readonly Room[];

beforeAll(async () => {
  cwd = workplace();
  mkdirSync(join(cwd, 'models'));
  const output = { meaning: 'inverse-relative' };
  const card = { metrics: { rooms: { delta1: 0.9 } }, card: 'Good.', training: { hours: 1 } };
  putModel(join(cwd, 'models'), 'open-size', { input: size, output, ...card }, 'shades');
  const all = rooms(10);
  known = all.slice(0, 2);
  others = all.slice(2);
  for (const part of ['set', 'set/rgb', 'set/depth']) mkdirSync(join(cwd, part));
  for (const [i, { picture, depth }] of known.entries()) {
    writeFileSync(join(cwd, `${i}.png`), await encodePng(picture));
    writeFileSync(join(cwd, `set/rgb/${i}.png`), await encodePng(picture));
    writeFileSync(join(cwd, `set/depth/${i}.png`), await encodeDepthPng({ ...size, data: depth }));
  }
});

/** `0.png:40,30=2.1m`, as somebody would measure it. */
function point(room: number, x: number, y: number): string {
  const metres = known[room]?.depth[y * size.width + x] as number;
  return `${room}.png:${x},${y}=${metres.toFixed(2)}m`;
}

const five = () => [
  ...['--point', point(0, 30, 20), '--point', point(0, 120, 60), '--point', point(0, 80, 110)],
  ...['--point', point(1, 40, 60), '--point', point(1, 130, 100)],
];

/** Median relative error over all pixels of the rooms that were not used. */
async function medianError(manifest: string): Promise<number> {
  const estimator = await DepthEstimator.open({ model: manifest });
  try {
    const errors: number[] = [];
    for (const { picture, depth } of others) {
      const frame = await estimator.estimate(picture);
      expect(frame.unit).toBeUndefined();
      const truth = scaleNearest({ ...size, data: depth }, frame).data;
      truth.forEach((metres, i) => {
        errors.push(Math.abs((frame.data[i] as number) - metres) / metres);
      });
    }
    return errors.sort((a, b) => a - b)[errors.length >> 1] as number;
  } finally {
    await estimator.close();
  }
}

describe('a relative model becomes metric, on rooms that were not used', () => {
  it('from five known distances', async () => {
    const { code, stdout } = await depthline(['calibrate', 'shades', ...five()], { cwd });
    expect(stdout).toMatch(/^shades: metres = 1 \/ \(.*·x − .*\)\nmedian relative error \d/);
    expect(stdout).toContain('written to models/shades-calibrated.yaml');
    expect(code).toBe(0);
    const error = await medianError(join(cwd, 'models/shades-calibrated.yaml'));
    expect(error).toBeLessThanOrEqual(0.1);
  });

  it('from a folder of pictures with depth', async () => {
    const args = ['calibrate', 'shades', '--rgbd', 'set', '--output', 'by-set.yaml', '--json'];
    const { code, stdout } = await depthline(args, { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ manifest: join(cwd, 'by-set.yaml') });
    expect(parse(readFileSync(join(cwd, 'by-set.yaml'), 'utf8'))).toMatchObject({
      name: 'by-set',
      file: 'models/shades.onnx',
    });
    // Scores of the model as it is would not hold.
    expect(readFileSync(join(cwd, 'by-set.yaml'), 'utf8')).not.toMatch(
      /^(metrics|card|training):/m,
    );
    expect(await medianError(join(cwd, 'by-set.yaml'))).toBeLessThanOrEqual(0.1);
  });

  it('from lists', async () => {
    const points = five().filter((arg) => arg !== '--point');
    const rows = points.map((text) => text.replace(/^(.*):(.*)=(.*)m$/, '$1,$2,$3'));
    writeFileSync(join(cwd, 'points.csv'), ['picture,x,y,metres', ...rows.slice(0, 3)].join('\n'));
    const items = rows.slice(3).map((row) => {
      const [picture, x, y, metres] = row.split(',');
      return `- { picture: ${picture}, x: ${x}, y: ${y}, metres: ${metres} }\n`;
    });
    writeFileSync(join(cwd, 'points.yaml'), items.join(''));
    const lists = ['--points', 'points.csv', '--points', 'points.yaml'];
    const args = ['calibrate', 'shades', ...lists, '--output', 'by-list.yaml'];
    expect(await depthline(args, { cwd })).toMatchObject({ code: 0 });
    expect(await medianError(join(cwd, 'by-list.yaml'))).toBeLessThanOrEqual(0.1);
  });
});

describe('calibrate never overwrites', () => {
  it('a manifest that it did not write, unless forced', async () => {
    const args = ['calibrate', 'shades', ...five(), '--output', 'mine.yaml'];
    writeFileSync(join(cwd, 'mine.yaml'), 'mine');
    const refused = await depthline(args, { cwd });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/mine\.yaml exists and is not replaced/);
    expect(readFileSync(join(cwd, 'mine.yaml'), 'utf8')).toBe('mine');
    expect(await depthline([...args, '--force'], { cwd })).toMatchObject({ code: 0 });
    // Now it is one of its own.
    expect(await depthline(args, { cwd })).toMatchObject({ code: 0 });
  });
});

describe('calibrate warns', () => {
  it('of a wrong distance, and names it', async () => {
    const wrong = ['--point', '1.png:20,20=9m'];
    const args = ['calibrate', 'shades', ...five(), ...wrong, '--output', 'warned.yaml'];
    const { code, stderr } = await depthline(args, { cwd });
    expect(stderr).toMatch(/^warning: 1\.png:20,20=9m is off by \d+ %: check the place and the/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('where few distances fit', async () => {
    const grow = [1.3, 0.72, 1.28, 0.74, 1.32, 0.7];
    const all = [...five(), '--point', point(1, 80, 30)].map((arg, i) => {
      const [place, metres] = arg.split('=');
      const factor = grow[(i - 1) / 2] as number;
      return metres === undefined ? arg : `${place}=${(parseFloat(metres) * factor).toFixed(2)}m`;
    });
    const args = ['calibrate', 'shades', ...all, '--output', 'few.yaml', '--json'];
    const { code, stdout, stderr } = await depthline(args, { cwd });
    expect(stderr).toMatch(/^warning: only \d of 6 known distances are within 15 %: do not rely/);
    expect(JSON.parse(stdout).warnings[0]).toMatch(/^only/);
    expect(code).toBe(0);
  });

  it('counts a place that is given twice once', async () => {
    const args = ['calibrate', 'shades', ...five(), ...five().slice(0, 2), '--output', 'once.yaml'];
    const { stdout } = await depthline([...args, '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ pairs: 5 });
  });
});

describe('calibrate refuses', () => {
  it.each<[string, () => readonly string[], number, RegExp]>([
    ['nothing known', () => [], 2, /needs known distances: --point, --points or --rgbd/],
    ['two points', () => five().slice(0, 4), 1, /at least 3 known distances, and has 2/],
    ['no point', () => ['--point', 'a.png:3,4=2'], 2, /not a point of known distance.*2\.35m/],
    ['no picture', () => ['--point', 'a.png:3,4=2m'], 2, /no file .*a\.png/],
    ['a point outside', () => ['--point', '0.png:160,4=2m'], 2, /outside the picture.*160×120/],
    [
      'a place with two distances',
      () => [...five(), '--point', '0.png:9,9=1m', '--point', './0.png:9,9=2m'],
      2,
      /9,9 of \.\/0\.png is given with two distances, 1 m and 2 m/,
    ],
    ['no list', () => ['--points', 'x.csv'], 2, /there is no file .*x\.csv/],
    ['no manifest', () => [...five(), '--output', 'a.onnx'], 2, /--output must end in \.yaml/],
  ])('%s', async (_, args, code, message) => {
    const finished = await depthline(['calibrate', 'shades', ...args()], { cwd });
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr.trim().split('\n')).toHaveLength(1);
    expect(finished).toMatchObject({ code, stdout: '' });
  });
});
