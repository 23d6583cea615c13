import { expect, test } from 'vitest';
import { makeCamera, viewIntrinsics } from '../../src/synthetic/camera.ts';
import { cos, sin } from '../../src/synthetic/random.ts';
import { renderFrame } from '../../src/synthetic/renderer.ts';
import { makeRoom } from '../../src/synthetic/room.ts';
import { type Colour, emptyRoom, material, type Vec } from '../../src/synthetic/scene.ts';
import { Piece } from '../../src/synthetic/solids.ts';

const size = { width: 64, height: 48 };
const room: Vec = [4, 2.5, 5];
const colours: Colour[] = [
  [0.9, 0.1, 0.1],
  [0.1, 0.9, 0.1],
  [0.1, 0.1, 0.9],
  [0.9, 0.9, 0.1],
  [0.1, 0.9, 0.9],
  [0.9, 0.1, 0.9],
];

function camera(yaw: number, pitch: number, roll = 0, aspect = 4 / 3) {
  const intrinsics = viewIntrinsics(70, aspect, size);
  return makeCamera({ position: [1.5, 1.2, 2], yaw, pitch, roll }, intrinsics);
}

test.each([
  [0, 0, 0],
  [0.7, -0.3, 0.1],
  [2.5, 0.4, -0.2],
  [-2, -1.2, 0],
])(
  'depth in an empty room is that of its walls (yaw %d, pitch %d, roll %d)',
  (yaw, pitch, roll) => {
    const view = camera(yaw, pitch, roll);
    const { depth } = renderFrame(emptyRoom(room, colours), view, size);
    const { fx, fy, cx, cy } = view.intrinsics;
    const faces = wallsBy(view.position);
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) {
        const [rx, ry] = [(x - cx) / fx, (y - cy) / fy];
        // The ray that has 1 along the optical axis: its parameter is the depth.
        const ray = [0, 1, 2].map(
          (axis) => view.right[axis]! * rx + view.down[axis]! * ry + view.forward[axis]!,
        );
        const expected = Math.min(
          ...faces.map(([axis, distance]) => distance / ray[axis]!).filter((t) => t > 0),
        );
        // Where two walls meet in a pixel, depth is taken at one of its samples.
        expect(Math.abs(depth[y * size.width + x]! - expected)).toBeLessThan(
          onEdge(x, y, view) ? 0.1 : 1e-3,
        );
      }
    }
  },
);

function wallsBy(position: Vec): [number, number][] {
  return [0, 1, 2].flatMap((axis): [number, number][] => [
    [axis, -position[axis]!],
    [axis, room[axis]! - position[axis]!],
  ]);
}

const drawn = new Map<object, Int32Array>();

function onEdge(x: number, y: number, view: ReturnType<typeof camera>): boolean {
  let faces = drawn.get(view);
  if (!faces) {
    faces = renderFrame(emptyRoom(room, colours), view, size).faces;
    drawn.set(view, faces);
  }
  const { width, height } = size;
  const own = faces[y * width + x];
  for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++)
    for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++)
      if (faces[j * width + i] !== own) return true;
  return false;
}

test('a view squeezed into other pixels sees the same', () => {
  const square = { width: 48, height: 48 };
  const wide = renderFrame(emptyRoom(room, colours), camera(0.5, -0.2), size);
  const intrinsics = viewIntrinsics(70, 4 / 3, square);
  expect(intrinsics.fx / intrinsics.fy).toBeCloseTo(3 / 4, 9);
  const { position } = camera(0, 0);
  const squeezed = makeCamera({ position, yaw: 0.5, pitch: -0.2, roll: 0 }, intrinsics);
  const narrow = renderFrame(emptyRoom(room, colours), squeezed, square);
  // Column 1 of 48 covers the place of columns 1⅓ of 64: 4k + 1.5 and 3k + 1 have a common centre.
  for (let y = 0; y < 48; y++)
    for (let k = 0; k < 16; k++) {
      const between = (wide.depth[y * 64 + 4 * k + 1]! + wide.depth[y * 64 + 4 * k + 2]!) / 2;
      expect(Math.abs(narrow.depth[y * 48 + 3 * k + 1]! - between)).toBeLessThan(0.08);
    }
});

test('edges of the picture are edges of the truth', () => {
  const scene = emptyRoom(room, [...colours.slice(0, 2), ...Array(4).fill([0.2, 0.2, 0.9])]);
  const block = material('plain', [[1, 1, 1]]);
  new Piece(0.6, 0.6).box(-0.3, 0, -0.3, 0.3, 1.6, 0.3, block).place(scene, [1.5, 0, 4], 0);
  const { light, depth, faces } = renderFrame(scene, camera(0, 0), size);
  const first = 6;
  let seen = 0;
  for (let i = 0; i < faces.length; i++) {
    const onBlock = faces[i]! >= first;
    seen += +onBlock;
    expect(depth[i]! < 1.71 && depth[i]! > 1.69).toBe(onBlock);
    // Red is 1 on the block, less elsewhere; half and half where they meet.
    if (onBlock) expect(light[i * 3]).toBeGreaterThan(0.49);
  }
  const { fx, fy } = camera(0, 0).intrinsics;
  expect(seen / ((fx * 0.6) / 1.7)).toBeGreaterThan((fy * 1.6) / 1.7 - 22);
});

test('every pixel of furnished rooms has a face, light and a depth inside the room', () => {
  for (const seed of [1, 2]) {
    const scene = makeRoom(seed);
    const [w, h, d] = scene.size;
    const diagonal = Math.sqrt(w * w + h * h + d * d);
    const intrinsics = viewIntrinsics(80, 4 / 3, size);
    for (const yaw of [0, 1.3, 2.9, -1.8]) {
      const view = makeCamera(
        { position: [w / 2, h - 0.3, d / 2], yaw, pitch: -0.4, roll: 0 },
        intrinsics,
      );
      const { depth, faces, light } = renderFrame(scene, view, size);
      expect(faces.every((face) => face >= 0)).toBe(true);
      expect(depth.every((z) => z >= 0.05 && z <= diagonal)).toBe(true);
      expect(light.every((value) => value >= 0 && value < 100)).toBe(true);
    }
  }
});

test('sin and cos agree with those of the engine', () => {
  for (let x = -20; x < 20; x += 0.137) {
    expect(sin(x)).toBeCloseTo(Math.sin(x), 10);
    expect(cos(x)).toBeCloseTo(Math.cos(x), 10);
  }
});
