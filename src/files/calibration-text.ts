import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';

/** Calibration of a rectified pair. */
export interface PairCalibration extends Size {
  /** Of the left picture, pixels. */
  readonly intrinsics: Intrinsics;
  /** Metres. */
  readonly baseline: number;
  /** Principal point of the right picture minus that of the left, pixels. */
  readonly offset: number;
}

/** `calib.txt` of a pair, as the Middlebury data sets have it: pixels, baseline in millimetres. */
export function calibrationText({
  intrinsics: { fx, fy, cx, cy },
  baseline,
  offset,
  width,
  height,
}: PairCalibration): string {
  const matrix = (x: number) => `[${fx} 0 ${x}; 0 ${fy} ${cy}; 0 0 1]`;
  return [
    `cam0=${matrix(cx)}`,
    `cam1=${matrix(cx + offset)}`,
    `doffs=${offset}`,
    `baseline=${baseline * 1000}`,
    `width=${width}`,
    `height=${height}`,
    '',
  ].join('\n');
}

const number = String.raw`-?\d+(?:\.\d+)?(?:e[-+]?\d+)?`;
const matrixPattern = new RegExp(
  String.raw`^\[\s*(${number})\s+0\s+(${number})\s*;\s*0\s+(${number})\s+(${number})\s*;\s*0\s+0\s+1\s*\]$`,
);

/**
 * Reads `calib.txt` of a Middlebury scene; `cam0`, `baseline`, `width` and `height` are required.
 *
 * @throws Error that says what is missing
 */
export function parseCalibration(text: string): PairCalibration {
  const entries = new Map(
    text
      .split(/\r?\n/)
      .map((line) => /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line))
      .flatMap((match) => (match ? [[match[1] as string, match[2] as string] as const] : [])),
  );
  const matrix = matrixPattern.exec(entries.get('cam0') ?? '');
  if (!matrix) throw new Error('it has no cam0=[f 0 cx; 0 f cy; 0 0 1]');
  const [fx, cx, fy, cy] = matrix.slice(1).map(Number) as [number, number, number, number];
  const value = (key: string, otherwise?: number): number => {
    const found = Number(entries.get(key) ?? otherwise ?? Number.NaN);
    if (!Number.isFinite(found)) throw new Error(`it has no ${key}`);
    return found;
  };
  const calibration = {
    intrinsics: { fx, fy, cx, cy },
    baseline: value('baseline') / 1000,
    offset: value('doffs', 0),
    width: value('width'),
    height: value('height'),
  };
  const { baseline, width, height } = calibration;
  if (!(fx > 0 && fy > 0 && baseline > 0 && width > 0 && height > 0))
    throw new Error('its focal length, baseline, width and height must be above 0');
  return calibration;
}
