import { flipAxes, type Intrinsics, type View } from '../core/frame.ts';
import type { Rectangle } from '../core/size.ts';
import { sourceIntrinsics, type Viewed, viewOf } from '../depth/view.ts';

/** What an index keeps of the geometry of a frame, whatever size its files have. */
export interface RecordedGeometry {
  /** Missing: the file shows the whole picture of its source. */
  readonly view?: View;
  /** Of the source's whole picture. */
  readonly camera?: Intrinsics;
}

/** The geometry of a frame, without what goes without saying. */
export function recordedGeometry(frame: Viewed): RecordedGeometry {
  const view = viewOf(frame);
  const { intrinsics } = frame;
  if (!intrinsics) return isWhole(view, frame) ? {} : { view };
  return { view, camera: sourceIntrinsics({ ...frame, intrinsics }) };
}

function isWhole({ left, top, width, height, source, flip, shown }: View, frame: Viewed): boolean {
  const whole = left === 0 && top === 0 && width === source.width && height === source.height;
  const same = width === frame.width && height === frame.height;
  return whole && same && !flip && !shown;
}

/** `160 0 960 720 of 1280 720`, then `flip horizontal` and `shown 0 0 100 100` where there are any. */
export function viewText({ source, flip, shown, ...part }: View): string {
  return [
    rectangleText(part),
    `of ${source.width} ${source.height}`,
    ...(flip ? [`flip ${flip}`] : []),
    ...(shown ? [`shown ${rectangleText(shown)}`] : []),
  ].join(' ');
}

function rectangleText({ left, top, width, height }: Rectangle): string {
  return [left, top, width, height].join(' ');
}

/** `fx fy cx cy`, pixels. */
export function intrinsicsText({ fx, fy, cx, cy }: Intrinsics): string {
  return [fx, fy, cx, cy].join(' ');
}

const number = '(-?\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?)';
const four = Array(4).fill(number).join(' ');
const viewPattern = new RegExp(
  `^${four} of (\\d{1,6}) (\\d{1,6})(?: flip (${flipAxes.join('|')}))?(?: shown ${four})?$`,
);
const intrinsicsPattern = new RegExp(`^${four}$`);

/** Nothing if it is no view. */
export function parseView(text: string): View | undefined {
  const match = viewPattern.exec(text);
  if (!match) return undefined;
  const part = rectangle(match.slice(1, 5));
  const source = { width: Number(match[5]), height: Number(match[6]) };
  const shown = match[8] === undefined ? undefined : rectangle(match.slice(8, 12));
  if (![part, source].every(({ width, height }) => width > 0 && height > 0)) return undefined;
  const flip = flipAxes.find((axis) => axis === match[7]);
  return { ...part, source, ...(flip && { flip }), ...(shown && { shown }) };
}

/** Nothing if they are no intrinsics. */
export function parseIntrinsics(text: string): Intrinsics | undefined {
  const match = intrinsicsPattern.exec(text);
  if (!match) return undefined;
  const [fx, fy, cx, cy] = numbers(match.slice(1));
  return fx > 0 && fy > 0 ? { fx, fy, cx, cy } : undefined;
}

function rectangle(texts: readonly string[]): Rectangle {
  const [left, top, width, height] = numbers(texts);
  return { left, top, width, height };
}

function numbers(texts: readonly string[]): [number, number, number, number] {
  return texts.map(Number) as [number, number, number, number];
}
