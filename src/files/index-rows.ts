import { posix } from 'node:path';
import { type DepthUnit, latestTime } from '../core/frame.ts';
import {
  intrinsicsText,
  parseIntrinsics,
  parseView,
  type RecordedGeometry,
  viewText,
} from './geometry-text.ts';

/** First line of an index, and what earlier versions wrote, which it begins with. */
export const columns = 'seq,pts,capturedAt,files,name,unit,view,intrinsics';
export const oldColumns = 'seq,pts,capturedAt,files';

/** A line of an index: one frame. */
export interface IndexRow extends RecordedGeometry {
  readonly seq: number;
  /** Nanoseconds. */
  readonly pts: bigint;
  /** Nanoseconds since the Unix epoch. */
  readonly capturedAt: bigint;
  /** Paths from the folder of the index. */
  readonly files: readonly string[];
  /** The `name` of the frame, if it had one. */
  readonly name?: string;
  /** Of depth. */
  readonly unit?: DepthUnit;
}

/**
 * A line of CSV without its end. Files are separated by spaces, so what would end a name there is
 * percent-encoded.
 */
export function formatRow(row: IndexRow): string {
  const { seq, pts, capturedAt, files, name = '', unit = '', view, camera } = row;
  const paths = files.map((file) => file.replace(/[\s%,"\p{Cc}]/gu, encodeURIComponent));
  const seen = view ? viewText(view) : '';
  // In quotes, so that a line that was cut off is not read with shorter numbers.
  const rays = camera ? `"${intrinsicsText(camera)}"` : '';
  return [seq, pts, capturedAt, paths.join(' '), quoted(name), unit, seen, rays].join(',');
}

/** The columns of a first line, or nothing if it is not that of an index. */
export function columnsOf(line: string): number | undefined {
  const names = columns.split(',');
  const given = line.trimEnd().split(',');
  const known = given.length >= oldColumns.split(',').length && given.length <= names.length;
  return known && given.every((name, i) => name === names[i]) ? given.length : undefined;
}

/** A name as the index holds it: a line must stay one line. */
export function oneLine(name: string): string {
  return name.replace(/\p{Cc}/gu, encodeURIComponent);
}

function quoted(name: string): string {
  const line = oneLine(name);
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}

/** The rows of an index; lines that are none, such as one that was cut off, are left out. */
export function parseRows(text: string): IndexRow[] {
  const [first = '', ...lines] = text.split('\n');
  const count = columnsOf(first) ?? 0;
  return lines.flatMap((line) => parseRow(line, count) ?? []);
}

const frame = /^(\d{1,16}),(\d{1,19}),(\d{1,19}),([^,]*)(?:,(.*))?$/;
const field = /"(?:[^"]|"")*"|[^,"]*/y;

/** @param count columns that the first line names; older lines may have fewer only in older lists */
function parseRow(line: string, count: number): IndexRow | undefined {
  const match = frame.exec(line.replace(/\r$/, ''));
  if (!match) return undefined;
  const [, seq, pts, capturedAt, paths = '', rest] = match;
  const times = [BigInt(pts as string), BigInt(capturedAt as string)] as const;
  if (!Number.isSafeInteger(Number(seq)) || times.some((time) => time > latestTime))
    return undefined;
  const fields = rest === undefined ? [] : fieldsOf(rest);
  if (!fields || fields.length < count - 4) return undefined;
  const [name = '', unit = '', seen = '', rays = ''] = fields;
  const view = seen === '' ? undefined : parseView(seen);
  const camera = rays === '' ? undefined : parseIntrinsics(rays);
  const damaged = (seen !== '' && !view) || (rays !== '' && !camera);
  if (damaged || !['', 'm', 'relative'].includes(unit)) return undefined;
  return {
    seq: Number(seq),
    pts: times[0],
    capturedAt: times[1],
    files: paths.split(' ').filter(Boolean).map(decoded),
    ...(name !== '' && { name }),
    ...(unit !== '' && { unit: unit as DepthUnit }),
    ...(view && { view }),
    ...(camera && { camera }),
  };
}

/** The fields of CSV; nothing if a quote is not closed. */
function fieldsOf(text: string): string[] | undefined {
  const fields: string[] = [];
  field.lastIndex = 0;
  for (;;) {
    const raw = field.exec(text)?.[0] ?? '';
    fields.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    const end = field.lastIndex;
    if (end === text.length) return fields;
    if (text[end] !== ',') return undefined;
    field.lastIndex = end + 1;
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const ownFile =
  /^(?:(?:rgb|depth|left|right|disparity)\/)?([^/]+)\.(?:png|jpg|npy|json|ply)$|^calib\/([^/]+)\.txt$/;
const numbered = /^[\w.-]*\d{6,}$/;

/** Files of a row that a sink names so, whatever else somebody has put into the list. */
export function ownFiles({ files, name }: IndexRow, prefix: string): string[] {
  return files.filter((file) => {
    const [, named, calibrated] = ownFile.exec(file) ?? [];
    const stem = named ?? calibrated ?? '';
    return numbered.test(stem) || (name !== undefined && isStemOf(stem, name, prefix));
  });
}

/** Whether a file was named after a frame, with a number where two frames had the same stem. */
function isStemOf(stem: string, name: string, prefix: string): boolean {
  const plain = stemOf(name, prefix);
  return stem === plain || (stem.startsWith(plain) && /^-\d+$/.test(stem.slice(plain.length)));
}

/** Bytes of a file name that leave room for number, ending and `.part`. */
const longestStem = 200;

/** File name for a frame of this `name`, without its ending: never a path, never hidden or empty. */
export function stemOf(name: string, prefix: string): string {
  const base = posix.basename(oneLine(name));
  const stem = posix.parse(base).name.replaceAll('\\', '_');
  let kept = `${prefix}${stem.replace(/^\.+/, '') || 'frame'}`;
  while (Buffer.byteLength(kept) > longestStem) kept = [...kept].slice(0, -1).join('');
  return kept;
}
