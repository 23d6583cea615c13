import { parse } from 'yaml';
import { DepthlineError, reason } from '../core/errors.ts';
import type { Intrinsics } from '../core/frame.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { resolvePath } from '../core/resolve-path.ts';
import type { Size } from '../core/size.ts';
import {
  type DistortionModel,
  distortionModels,
  type Rig,
  type RigCamera,
} from './camera-model.ts';
import { requirePlausible, requireRotation } from './plausible-rig.ts';
import { rectifyRig } from './rectify-rig.ts';

/** Far above any calibration; bytes. */
const maxBytes = 2 ** 20;

type Content = Readonly<Record<string, unknown>>;

/**
 * Reads the calibration of two cameras: one file (or several, whose keys are joined) of OpenCV's FileStorage
 * in YAML or XML, or two files of ROS, the left camera first.
 *
 * OpenCV: `M1`, `D1`, `M2`, `D2` (also `K1`, `cameraMatrix1`, `distCoeffs1`), `R` and `T`; `R1`, `R2`, `P1` and
 * `P2` are used where they are there. ROS: `camera_matrix`, `distortion_coefficients`, `rectification_matrix`
 * and `projection_matrix` of `camera_info`.
 *
 * @param unit metres per unit of the translation; ROS is in metres
 * @param size of the pictures, where the file does not say it
 * @throws DepthlineError `CONFIG` that says what is missing
 */
export async function readRig(
  paths: readonly string[],
  baseDirectory: string,
  unit: number,
  size?: Size,
): Promise<Rig> {
  const contents: Content[] = [];
  for (const path of paths) contents.push(await readContent(resolvePath(baseDirectory, path)));
  const names = paths.join(' and ');
  try {
    const ros = contents.filter((content) => 'camera_matrix' in content);
    const rig =
      ros.length === 0
        ? openCvRig(Object.assign({}, ...contents), unit, size)
        : rosRig(pairOf(ros, contents.length));
    requirePlausible({ ...rig, size: rig.size ?? size });
    return rig;
  } catch (error) {
    const message = `the calibration ${names} cannot be used: ${reason(error)}`;
    throw new DepthlineError('CONFIG', message, { cause: error });
  }
}

function pairOf(files: readonly Content[], all: number): readonly [Content, Content] {
  const [left, right, ...more] = files;
  if (!left || !right || more.length > 0 || files.length < all)
    throw new Error('files of ROS are one per camera: name two, the left one first');
  return [left, right];
}

async function readContent(path: string): Promise<Content> {
  try {
    const text = await readRegularFile(path, maxBytes);
    const content = /^\s*</.test(text) ? await fromXml(text) : fromYaml(text);
    if (typeof content === 'object' && content !== null) return content as Content;
    throw new Error('it holds no keys');
  } catch (error) {
    const message = `the calibration ${path} cannot be read: ${reason(error)}`;
    throw new DepthlineError('CONFIG', message, { cause: error });
  }
}

/** OpenCV writes `%YAML:1.0`, which is no directive of YAML, and tags matrices with a type. */
function fromYaml(text: string): unknown {
  return parse(text.replace(/^%YAML:.*$/m, ''), { logLevel: 'silent' });
}

async function fromXml(text: string): Promise<unknown> {
  const { XMLParser } = await import('fast-xml-parser');
  const root = new XMLParser({ ignoreAttributes: true }).parse(text, true) as {
    opencv_storage?: unknown;
  };
  if (root.opencv_storage === undefined) throw new Error('it has no <opencv_storage>');
  return root.opencv_storage;
}

/** Values of a matrix: `{ rows, cols, data }` of OpenCV and ROS, or rows in brackets. */
function matrix(content: Content, names: readonly string[], counts: readonly number[]): number[] {
  const name = names.find((one) => content[one] !== undefined);
  if (name === undefined) throw new Error(`it has no ${names[0]}`);
  const value = content[name] as { data?: unknown };
  const data = Array.isArray(value) ? value.flat() : value.data;
  const numbers =
    typeof data === 'string'
      ? data.trim().split(/\s+/).map(Number)
      : Array.isArray(data)
        ? data.map(Number)
        : [];
  if (!counts.includes(numbers.length) || !numbers.every(Number.isFinite))
    throw new Error(`${name} must have ${counts.join(' or ')} numbers`);
  return numbers;
}

const optional = (content: Content, names: readonly string[], counts: readonly number[]) =>
  names.some((name) => content[name] !== undefined) ? matrix(content, names, counts) : undefined;

const distortionCounts = [4, 5, 8, 12, 14];

function openCvRig(content: Content, unit: number, known?: Size): Rig {
  const camera = (n: 1 | 2) => {
    const k = [`M${n}`, `K${n}`, `cameraMatrix${n}`, `camera_matrix_${n}`];
    const d = [`D${n}`, `distCoeffs${n}`, `dist_coeffs_${n}`, `distortion_${n}`];
    const model: DistortionModel = 'rational_polynomial';
    const distortion = matrix(content, d, distortionCounts);
    return { intrinsics: intrinsicsOf(matrix(content, k, [9])), model, distortion };
  };
  const size = sizeOf(content) ?? known;
  const [left, right] = [camera(1), camera(2)];
  const [p1, p2] = [optional(content, ['P1'], [12]), optional(content, ['P2'], [12])];
  const [r1, r2] = [optional(content, ['R1'], [9]), optional(content, ['R2'], [9])];
  if (p1 && p2 && r1 && r2) {
    return {
      size,
      left: { ...left, rotation: requireRotation('R1', r1), rectified: projectionOf(p1) },
      right: { ...right, rotation: requireRotation('R2', r2), rectified: projectionOf(p2) },
      baseline: baselineOf(p2) * unit,
    };
  }
  const rotation = requireRotation('R', matrix(content, ['R'], [9]));
  if ((rotation[8] as number) <= 0)
    throw new Error('by R the cameras look in different directions; calibrate them as a pair');
  const [x = 0, y = 0, z = 0] = matrix(content, ['T'], [3]);
  requireBeside([x, y, z]);
  if (!size) throw new Error('it has neither R1, R2, P1, P2 nor image_width and image_height');
  const turned = rectifyRig(left, right, rotation, [x, y, z], size);
  return {
    size,
    left: { ...left, ...turned.left },
    right: { ...right, ...turned.right },
    baseline: positive(turned.baseline * unit),
  };
}

function rosRig([left, right]: readonly [Content, Content]): Rig {
  const projection = matrix(right, ['projection_matrix'], [12]);
  const [size, other] = [sizeOf(left), sizeOf(right)];
  if (size && other && (size.width !== other.width || size.height !== other.height))
    throw new Error(
      `the first file is for pictures of ${size.width}×${size.height}, the second one of ${other.width}×${other.height}; both cameras must have one size`,
    );
  return {
    size: size ?? other,
    left: rosCamera(left),
    right: rosCamera(right),
    baseline: baselineOf(projection),
  };
}

function rosCamera(content: Content): RigCamera {
  const name = content.distortion_model ?? content.camera_model;
  const model = distortionModels.find((one) => one === name);
  if (!model)
    throw new Error(
      `distortion_model is ${JSON.stringify(name)}; known: ${distortionModels.join(', ')}`,
    );
  return {
    intrinsics: intrinsicsOf(matrix(content, ['camera_matrix'], [9])),
    model,
    distortion: matrix(content, ['distortion_coefficients'], distortionCounts),
    rotation: requireRotation(
      'rectification_matrix',
      matrix(content, ['rectification_matrix'], [9]),
    ),
    rectified: projectionOf(matrix(content, ['projection_matrix'], [12])),
  };
}

function intrinsicsOf(k: readonly number[]): Intrinsics {
  return { fx: positive(k[0]), fy: positive(k[4]), cx: k[2] as number, cy: k[5] as number };
}

function projectionOf(p: readonly number[]): Intrinsics {
  return { fx: positive(p[0]), fy: positive(p[5]), cx: p[2] as number, cy: p[6] as number };
}

/** Of the right camera's projection: -fx × baseline is its fourth element. */
function baselineOf(p: readonly number[]): number {
  const baseline = -(p[3] as number) / positive(p[0]);
  if (baseline > 0) return baseline;
  if (p[7] !== 0) throw new Error(notBeside);
  throw new Error(
    baseline < 0
      ? swapped
      : 'the second camera has no baseline in its projection; name the left camera first, and calibrate the two as a pair',
  );
}

const swapped = 'the second camera is to the left of the first; swap the two cameras';
const notBeside =
  'the cameras are not side by side; calibrate two cameras whose pictures differ along their rows';

/** Refuses cameras that are above or behind one another, or swapped. */
function requireBeside([x, y, z]: readonly [number, number, number]): void {
  if (Math.hypot(x, y, z) === 0) throw new Error('T is 0: the cameras have no baseline');
  if (Math.abs(x) < Math.hypot(y, z)) throw new Error(notBeside);
  if (x > 0) throw new Error(swapped);
}

function positive(value: number | undefined): number {
  if (value !== undefined && value > 0) return value;
  throw new Error('a focal length or the baseline is not above 0');
}

function sizeOf(content: Content): Size | undefined {
  const { image_width, image_height } = content;
  if (image_width === undefined && image_height === undefined) return undefined;
  const [width, height] = [Number(image_width), Number(image_height)];
  if ([width, height].every((side) => Number.isInteger(side) && side > 0)) return { width, height };
  throw new Error('image_width and image_height must be whole numbers above 0');
}
