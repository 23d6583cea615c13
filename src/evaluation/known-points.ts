import { dirname, extname, join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DepthlineError } from '../core/errors.ts';
import { formatProblem, valueProblems } from '../core/option-problems.ts';
import { readRegularFile, whyUnreadable } from '../core/regular-file.ts';

/** A place on a picture whose distance is known. */
export interface KnownPoint {
  /** Path of the picture. */
  readonly picture: string;
  /** Column and row, pixels of the picture, from 0. */
  readonly x: number;
  readonly y: number;
  /** Distance along the optical axis, metres. */
  readonly metres: number;
}

const pattern = /^(.+):(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)=(\d+(?:\.\d+)?)(mm|cm|m)$/;
const unitMetres = { m: 1, cm: 0.01, mm: 0.001 } as const;

/**
 * A point as it is given on the command line: `kitchen.jpg:320,240=2.35m`.
 *
 * @throws DepthlineError `CONFIG` if it is not one
 */
export function parsePoint(text: string): KnownPoint {
  const [, picture = '', x, y, distance, unit] = pattern.exec(text) ?? [];
  const metres = Number(distance) * unitMetres[unit as keyof typeof unitMetres];
  if (metres > 0) return { picture, x: Number(x), y: Number(y), metres };
  throw new DepthlineError(
    'CONFIG',
    `"${text}" is not a point of known distance: write PICTURE:X,Y=DISTANCE with a unit, such as kitchen.jpg:320,240=2.35m`,
  );
}

const coordinate = z.coerce.number().min(0);
const pointSchema = z.array(
  z.strictObject({
    picture: z.string().min(1).describe('path of the picture, from the list'),
    x: coordinate.describe('column, pixels from 0'),
    y: coordinate.describe('row, pixels from 0'),
    metres: z.coerce.number().gt(0).describe('distance along the optical axis'),
  }),
);

/** Largest list that is read, bytes. */
const maxBytes = 16 * 2 ** 20;

/**
 * Points from a list: CSV with the columns `picture,x,y,metres`, or a YAML list of these keys. Paths of
 * pictures start at the list.
 *
 * @throws DepthlineError `CONFIG` that says what is wrong in it
 */
export async function readPoints(path: string): Promise<KnownPoint[]> {
  let value: unknown;
  try {
    const text = await readRegularFile(path, maxBytes);
    value =
      extname(path).toLowerCase() === '.csv'
        ? parseCsv(text, { columns: true, trim: true, comment: '#', skip_empty_lines: true })
        : parseYaml(text);
  } catch (error) {
    throw new DepthlineError('CONFIG', whyUnreadable(path, error));
  }
  const result = pointSchema.safeParse(value);
  if (result.success) {
    return result.data.map((point) => ({ ...point, picture: join(dirname(path), point.picture) }));
  }
  const problems = valueProblems(pointSchema, value).map(formatProblem);
  throw new DepthlineError('CONFIG', problems.map((problem) => `${path}: ${problem}`).join('\n'));
}
