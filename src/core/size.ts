/** Width and height, pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of a picture, in pixels of that picture. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * The largest rectangle of the given aspect (width / height) around the centre; never empty.
 *
 * @param step the sides that are cut are multiples of this: 2 where a video format needs even ones
 */
export function centreRectangle({ width, height }: Size, aspect: number, step = 1): Rectangle {
  const snap = (side: number) => Math.max(step, step * Math.round(side / step));
  const cutsSides = width / height > aspect;
  const w = cutsSides ? Math.min(width, snap(height * aspect)) : width;
  const h = cutsSides ? height : Math.min(height, snap(width / aspect));
  return {
    left: step * Math.floor((width - w) / 2 / step),
    top: step * Math.floor((height - h) / 2 / step),
    width: w,
    height: h,
  };
}
