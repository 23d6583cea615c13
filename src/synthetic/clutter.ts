import type { Palette } from './palette.ts';
import type { Random } from './random.ts';
import { Piece } from './solids.ts';

/** Small things as they lie on tables and shelves. */
function clutter(random: Random, palette: Palette): Piece {
  const piece = new Piece(0.2, 0.2);
  const kind = random.int(0, 5);
  const r = random.range(0.03, 0.07);
  if (kind === 0) return piece.column(0, 0, 0, random.range(0.08, 0.14), r, palette.glaze());
  if (kind === 1) return piece.ball(0, r, 0, r, palette.glaze());
  if (kind === 2)
    return piece.column(0, 0, 0, random.range(0.15, 0.3), r, palette.glaze(), r * 0.5);
  if (kind === 3) {
    let y = 0;
    for (let n = random.int(1, 5); n > 0; n--) {
      const [w, d, h] = [
        random.range(0.1, 0.13),
        random.range(0.07, 0.1),
        random.range(0.015, 0.04),
      ];
      piece.box(-w, y, -d, w, y + h, d, palette.picture());
      y += h;
    }
    return piece;
  }
  if (kind === 4) {
    const [w, h, d] = [random.range(0.05, 0.15), random.range(0.05, 0.2), random.range(0.05, 0.1)];
    return piece.box(
      -w,
      0,
      -d,
      w,
      h,
      d,
      random.chance(0.5) ? palette.lacquer() : palette.picture(),
    );
  }
  return piece
    .column(0, 0, 0, 0.1, r, palette.glaze(), r * 1.3)
    .ball(0, 0.16, 0, r * 1.7, palette.leaves(), 1.1);
}

/** Puts `n` small things side by side on a board of `w` × `d` at height `y`, metres. */
export function strew(
  piece: Piece,
  random: Random,
  palette: Palette,
  n: number,
  w: number,
  d: number,
  y: number,
) {
  for (let i = 0; i < n; i++) {
    const x = -w / 2 + (w * (i + random.range(0.3, 0.7))) / n;
    piece.carry(clutter(random, palette), x, y, random.range(-d / 4, d / 4));
  }
}
