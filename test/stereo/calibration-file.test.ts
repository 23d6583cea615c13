import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRig } from '../../src/stereo/calibration-file.ts';
import { project, type RigCamera } from '../../src/stereo/camera-model.ts';
import { rectify, rectifyMap } from '../../src/stereo/rectify-map.ts';
import {
  apply,
  multiply,
  rectifyRig,
  rotationOf,
  transposed,
} from '../../src/stereo/rectify-rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'rig-'));
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const read = (...names: string[]) => readRig(names, folder, 1);

const matrix = (rows: number, cols: number, data: readonly number[]) =>
  `!!opencv-matrix\n   rows: ${rows}\n   cols: ${cols}\n   dt: d\n   data: [ ${data.join(', ')} ]`;

const k = [400, 0, 320, 0, 402, 240, 0, 0, 1];
const turned = rotationOf([0.01, -0.03, 0.02]);

/** As cv::FileStorage writes it. */
const openCv = `%YAML:1.0
---
image_width: 640
image_height: 480
M1: ${matrix(3, 3, k)}
D1: ${matrix(1, 5, [-0.1, 0.02, 0.001, -0.002, 0])}
M2: ${matrix(3, 3, k)}
D2: ${matrix(1, 5, [-0.1, 0.02, 0.001, -0.002, 0])}
R: ${matrix(3, 3, turned)}
T: ${matrix(3, 1, [-0.12, 0.003, -0.002])}
`;

const xmlMatrix = (name: string, rows: number, cols: number, data: readonly number[]) =>
  `<${name} type_id="opencv-matrix"><rows>${rows}</rows><cols>${cols}</cols><dt>d</dt><data>\n  ${data.join(' ')}</data></${name}>`;

describe('a rig', () => {
  test('of OpenCV in YAML and in XML is the same', async () => {
    const yaml = await read(put('rig.yml', openCv));
    const xml = put(
      'rig.xml',
      `<?xml version="1.0"?>\n<opencv_storage><image_width>640</image_width><image_height>480</image_height>
${xmlMatrix('M1', 3, 3, k)}${xmlMatrix('D1', 1, 5, [-0.1, 0.02, 0.001, -0.002, 0])}
${xmlMatrix('M2', 3, 3, k)}${xmlMatrix('D2', 1, 5, [-0.1, 0.02, 0.001, -0.002, 0])}
${xmlMatrix('R', 3, 3, turned)}${xmlMatrix('T', 3, 1, [-0.12, 0.003, -0.002])}</opencv_storage>`,
    );
    expect(await read(xml)).toEqual(yaml);
    expect(yaml.baseline).toBeCloseTo(Math.hypot(0.12, 0.003, 0.002), 9);
    expect(yaml.left.intrinsics).toEqual({ fx: 400, fy: 402, cx: 320, cy: 240 });
    expect((await readRig(['rig.yml'], folder, 0.001)).baseline).toBeCloseTo(0.00012, 5);
  });

  test('is rectified so that each point lies in one row, at its disparity', async () => {
    const rig = await read(put('rig.yml', openCv));
    const eye = (camera: RigCamera, point: readonly [number, number, number]) => {
      const [x, y, z] = apply(camera.rotation, point);
      const { fx, fy, cx, cy } = camera.rectified;
      return [(fx * x) / z + cx, (fy * y) / z + cy] as const;
    };
    for (const point of [
      [0, 0, 2],
      [0.7, -0.4, 1.5],
      [-1, 0.8, 6],
    ] as const) {
      const there = apply(turned, point).map((x, i) => x + [-0.12, 0.003, -0.002][i]!);
      const [u1, v1] = eye(rig.left, point);
      const [u2, v2] = eye(rig.right, there as never);
      expect(v2).toBeCloseTo(v1, 6);
      const [, , depth] = apply(rig.left.rotation, point);
      expect(u1 - u2).toBeCloseTo((rig.baseline * rig.left.rectified.fx) / depth, 6);
    }
  });

  test('uses R1, R2, P1 and P2 where they are there', async () => {
    const p = (tx: number) => [390, 0, 318, tx, 0, 390, 239, 0, 0, 0, 1, 0];
    const more = [
      ['R1', 3, 3, rotationOf([0.01, 0, 0])],
      ['R2', 3, 3, rotationOf([0, 0.01, 0])],
      ['P1', 3, 4, p(0)],
      ['P2', 3, 4, p(-46.8)],
    ] as const;
    const rest = more.map(([name, rows, cols, data]) => `${name}: ${matrix(rows, cols, data)}\n`);
    const rig = await read(put('full.yml', openCv + rest.join('')));
    expect(rig.left.rectified).toEqual({ fx: 390, fy: 390, cx: 318, cy: 239 });
    expect(rig.baseline).toBeCloseTo(0.12, 9);
    expect(rig.right.rotation).toEqual([...rotationOf([0, 0.01, 0])]);
  });

  test.each([
    ['M1', openCv.replace('M1:', 'camera:')],
    ['M2 must have 9 numbers', openCv.replaceAll('0, 0, 1 ]', '0, 1 ]')],
    ['image_width', openCv.replace('image_width: 640\n', '')],
    ['T must have 3 numbers', openCv.replace('0.003, -0.002', '0.003')],
    ['swap the two cameras', openCv.replace('-0.12,', '0.12,')],
    ['no baseline', openCv.replace('-0.12, 0.003, -0.002', '0, 0, 0')],
    ['not side by side', openCv.replace('-0.12, 0.003', '-0.003, -0.12')],
    ['it holds no keys', 'only words'],
  ])('says what is wrong: %s', async (what, text) => {
    const message = await read(put('bad.yml', text)).catch((error: Error) => error.message);
    expect(message).toMatch(new RegExp(what.replace('M2', 'M[12]')));
  });

  test.each([
    [
      'a size below 0',
      /image_width: 640/,
      'image_width: -640',
      /image_width and image_height must/,
    ],
    [
      'a size in words',
      /image_width: 640/,
      'image_width: wide',
      /image_width and image_height must/,
    ],
    [
      'millimetres',
      /-0\.12, 0\.003, -0\.002/,
      '-120, 3, -2',
      /baseline is 120 m; set "calibration-unit"/,
    ],
    ['no rotation', turned.join(', '), Array(9).fill(2).join(', '), /R is no rotation/],
    ['a mirror', turned.join(', '), '1, 0, 0, 0, 1, 0, 0, 0, -1', /R is no rotation/],
    [
      'cameras back to back',
      turned.join(', '),
      '-1, 0, 0, 0, 1, 0, 0, 0, -1',
      /different directions/,
    ],
    [
      'absurd distortion',
      /D2: (.*\n){5}/,
      `D2: ${matrix(1, 5, [1e308, 1e308, 0, 0, 0])}\n`,
      /almost nothing of the right picture/,
    ],
  ])('with %s is refused', async (_, part, instead, message) => {
    const changed = openCv.replace(part, instead);
    expect(changed).not.toBe(openCv);
    await expect(read(put('nonsense.yml', changed))).rejects.toThrow(message);
  });

  test('of ROS needs both cameras, in order', async () => {
    const info = (tx: number, model = 'plumb_bob') => `image_width: 640
image_height: 480
camera_matrix: {rows: 3, cols: 3, data: [${k.join(', ')}]}
distortion_model: ${model}
distortion_coefficients: {rows: 1, cols: 4, data: [0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [400, 0, 320, ${tx}, 0, 400, 240, 0, 0, 0, 1, 0]}
`;
    const [left, right] = [put('left.yaml', info(0)), put('right.yaml', info(-40))];
    expect((await read(left, right)).baseline).toBeCloseTo(0.1, 9);
    await expect(read(left)).rejects.toThrow('one per camera');
    await expect(read(right, left)).rejects.toThrow('name the left camera first');
    await expect(read(left, put('other.yaml', info(40)))).rejects.toThrow('swap the two cameras');
    const wide = put('wide.yaml', info(-40).replace('640', '1280'));
    await expect(read(left, wide)).rejects.toThrow('640×480, the second one of 1280×480');
    await expect(read(left, put('odd.yaml', info(-40, 'thin_prism')))).rejects.toThrow(
      /"thin_prism"; known: plumb_bob/,
    );
    await expect(read('missing.yaml')).rejects.toThrow('cannot be read');
  });
});

describe('a camera', () => {
  const camera = (model: RigCamera['model'], distortion: number[]): RigCamera => ({
    intrinsics: { fx: 100, fy: 100, cx: 0, cy: 0 },
    rectified: { fx: 100, fy: 100, cx: 0, cy: 0 },
    rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    ...{ model, distortion },
  });

  // Values of cv2.projectPoints and cv2.fisheye.projectPoints of OpenCV 4.6.
  test.each([
    ['plumb_bob', [-0.3, 0.1, 0.01, -0.02, 0.05], [44.75147, 18.42259]],
    ['rational_polynomial', [0.1, 0.2, 0, 0, 0.3, 0.05, 0.02, 0.01], [51.80588, 20.72235]],
    ['equidistant', [0.1, -0.05, 0.01, 0], [46.85457, 18.74183]],
  ] as const)('with %s projects as OpenCV does', (model, distortion, [u, v]) => {
    const [x, y] = project(camera(model, [...distortion]), 0.5, 0.2);
    expect(x).toBeCloseTo(u, 3);
    expect(y).toBeCloseTo(v, 3);
  });

  test('whose picture is rectified already maps every pixel onto itself', () => {
    const k = { fx: 40, fy: 40, cx: 3.5, cy: 2.5 };
    const same = { ...camera('plumb_bob', []), intrinsics: k, rectified: k };
    const picture = Uint8Array.from({ length: 8 * 6 * 3 }, (_, i) => (i * 37) & 255);
    const out = new Uint8Array(picture.length);
    rectify(picture, out, rectifyMap(same, { width: 8, height: 6 }));
    // The last column and row are read with a share of 255/256 from it.
    const apart = out.map((value, i) => Math.abs(value - picture[i]!));
    expect(Math.max(...apart)).toBeLessThanOrEqual(1);
  });

  test('rotations are orthogonal, and rectifying twice changes nothing', () => {
    const unit = multiply(turned, transposed(turned));
    for (const [i, value] of unit.entries()) expect(value).toBeCloseTo(i % 4 === 0 ? 1 : 0, 12);
    const level = rectifyRig(
      camera('plumb_bob', []),
      camera('plumb_bob', []),
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
      [-0.1, 0, 0],
      { width: 8, height: 6 },
    );
    for (const side of [level.left, level.right])
      for (const [i, value] of side.rotation.entries())
        expect(value).toBeCloseTo(i % 4 === 0 ? 1 : 0, 12);
  });
});
