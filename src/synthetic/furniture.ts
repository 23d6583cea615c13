import { strew } from './clutter.ts';
import type { Palette } from './palette.ts';
import type { Random } from './random.ts';
import { Piece } from './solids.ts';

/** Makes one piece of furniture; sizes in metres. */
export type Maker = (random: Random, palette: Palette) => Piece;

function legs(
  piece: Piece,
  w: number,
  d: number,
  height: number,
  thick: number,
  material: ReturnType<Palette['metal']>,
) {
  for (const x of [-w / 2, w / 2 - thick])
    for (const z of [-d / 2, d / 2 - thick])
      piece.box(x, 0, z, x + thick, height, z + thick, material);
}

const table: Maker = (random, palette) => {
  const [w, d, h] = [random.range(0.9, 2), random.range(0.6, 1), random.range(0.68, 0.78)];
  const wood = palette.furniture();
  const piece = new Piece(w, d).box(-w / 2, h - 0.035, -d / 2, w / 2, h, d / 2, wood);
  if (random.chance(0.2))
    piece.column(0, 0, 0, h - 0.03, 0.06, wood).column(0, 0, 0, 0.03, 0.3, wood);
  else
    legs(
      piece,
      w - 0.06,
      d - 0.06,
      h - 0.035,
      random.range(0.04, 0.08),
      random.chance(0.7) ? wood : palette.metal(),
    );
  strew(piece, random, palette, random.int(0, 6), w, d, h);
  return piece;
};

const lowTable: Maker = (random, palette) => {
  const [w, d, h] = [random.range(0.7, 1.3), random.range(0.5, 0.8), random.range(0.35, 0.5)];
  const wood = palette.furniture();
  const piece = new Piece(w, d).box(-w / 2, h - 0.04, -d / 2, w / 2, h, d / 2, wood);
  if (random.chance(0.5))
    piece.box(-w / 2 + 0.05, 0.12, -d / 2 + 0.05, w / 2 - 0.05, 0.14, d / 2 - 0.05, wood);
  legs(piece, w, d, h - 0.04, 0.06, wood);
  strew(piece, random, palette, random.int(0, 4), w, d, h);
  return piece;
};

const chair: Maker = (random, palette) => {
  const [w, d, h] = [random.range(0.4, 0.5), random.range(0.4, 0.5), random.range(0.42, 0.48)];
  const frame = random.chance(0.7) ? palette.wood() : palette.metal();
  const seat = random.chance(0.5) ? palette.cloth() : frame;
  const piece = new Piece(w, d).box(-w / 2, h - 0.05, -d / 2, w / 2, h, d / 2, seat);
  const back = random.range(0.8, 1.05);
  legs(piece, w, d, h - 0.05, 0.04, frame);
  for (const x of [-w / 2, w / 2 - 0.04])
    piece.box(x, h, -d / 2, x + 0.04, back, -d / 2 + 0.04, frame);
  if (random.chance(0.5))
    piece.box(-w / 2 + 0.04, h + 0.12, -d / 2 + 0.005, w / 2 - 0.04, back, -d / 2 + 0.035, seat);
  else
    for (const y of [0.15, 0.3, 0.42])
      piece.box(
        -w / 2 + 0.04,
        h + y,
        -d / 2 + 0.01,
        w / 2 - 0.04,
        h + y + 0.06,
        -d / 2 + 0.03,
        frame,
      );
  return piece;
};

const officeChair: Maker = (random, palette) => {
  const [cloth, metal] = [palette.cloth(), palette.metal()];
  const back = random.range(0.9, 1.15);
  return new Piece(0.6, 0.6)
    .box(-0.28, 0.04, -0.03, 0.28, 0.08, 0.03, metal)
    .box(-0.03, 0.04, -0.28, 0.03, 0.08, 0.28, metal)
    .column(0, 0.08, 0, 0.34, 0.03, metal)
    .box(-0.24, 0.42, -0.24, 0.24, 0.5, 0.24, cloth)
    .box(-0.22, 0.58, -0.28, 0.22, back, -0.22, cloth);
};

const shelf: Maker = (random, palette) => {
  const [w, d, h] = [random.range(0.6, 1.8), random.range(0.25, 0.4), random.range(0.8, 2.2)];
  const wood = palette.furniture();
  const t = 0.025;
  const piece = new Piece(w, d)
    .box(-w / 2, 0, -d / 2, -w / 2 + t, h, d / 2, wood)
    .box(w / 2 - t, 0, -d / 2, w / 2, h, d / 2, wood)
    .box(-w / 2 + t, 0, -d / 2, w / 2 - t, h, -d / 2 + 0.01, wood);
  const levels = Math.max(2, Math.round(h / random.range(0.3, 0.42)));
  const gap = (h - t) / levels;
  for (let i = 0; i <= levels; i++) {
    const y = i * gap;
    piece.box(-w / 2 + t, y, -d / 2 + 0.01, w / 2 - t, y + t, d / 2, wood);
    if (i < levels && random.chance(0.85))
      stock(piece, random, palette, w - 2 * t, d, y + t, gap - t);
  }
  return piece;
};

function stock(
  piece: Piece,
  random: Random,
  palette: Palette,
  w: number,
  d: number,
  y: number,
  gap: number,
) {
  if (random.chance(0.3)) return strew(piece, random, palette, random.int(1, 4), w, d, y);
  const spines = Array.from({ length: 5 }, () => palette.cloth('plain', 0.3));
  let x = -w / 2 + random.range(0, 0.1);
  const end = w / 2 - random.range(0.02, w * 0.5);
  while (x < end) {
    const thick = random.range(0.02, 0.055);
    const tall = Math.min(gap - 0.02, random.range(0.16, 0.29));
    const deep = Math.min(d - 0.03, random.range(0.13, 0.22));
    piece.box(
      x,
      y,
      -d / 2 + 0.015,
      x + thick,
      y + tall,
      -d / 2 + 0.015 + deep,
      random.pick(spines),
    );
    x += thick + (random.chance(0.06) ? 0.06 : 0.001);
  }
}

const cabinet: Maker = (random, palette) => {
  const tall = random.chance(0.4);
  const [w, d] = [random.range(0.6, tall ? 1.8 : 1.6), random.range(0.38, 0.6)];
  const h = tall ? random.range(1.7, 2.2) : random.range(0.6, 1.1);
  const [body, front, metal] = [palette.furniture(), palette.furniture(), palette.metal()];
  const piece = new Piece(w, d).box(-w / 2, 0.06, -d / 2, w / 2, h, d / 2 - 0.02, body);
  piece.box(-w / 2 + 0.03, 0, -d / 2, w / 2 - 0.03, 0.06, d / 2 - 0.06, metal);
  const columns = Math.max(1, Math.round(w / 0.5));
  const rows = tall ? random.int(1, 2) : random.int(1, 4);
  const [fw, fh] = [w / columns, (h - 0.06) / rows];
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      const [x, y] = [-w / 2 + i * fw, 0.06 + j * fh];
      piece.box(x + 0.006, y + 0.006, d / 2 - 0.02, x + fw - 0.006, y + fh - 0.006, d / 2, front);
      const [hx, hy] =
        rows > 1 ? [x + fw / 2, y + fh * 0.7] : [x + fw * (i % 2 ? 0.12 : 0.88), y + fh / 2];
      piece.box(hx - 0.05, hy - 0.01, d / 2, hx + 0.05, hy + 0.01, d / 2 + 0.025, metal);
    }
  }
  if (!tall) strew(piece, random, palette, random.int(0, 5), w, d, h);
  return piece;
};

const bed: Maker = (random, palette) => {
  const [w, d, h] = [random.range(0.9, 1.9), random.range(1.95, 2.1), random.range(0.4, 0.6)];
  const [frame, sheet, cover] = [
    palette.furniture(),
    palette.cloth('plain', 0.8),
    palette.cloth(random.pick(['damask', 'stripes', 'weave', 'plain']), 0.7),
  ];
  const piece = new Piece(w, d)
    .box(-w / 2, 0.12, -d / 2, w / 2, h - 0.18, d / 2, frame)
    .box(-w / 2 + 0.03, h - 0.18, -d / 2 + 0.03, w / 2 - 0.03, h, d / 2 - 0.03, sheet)
    .box(-w / 2 - 0.01, h - 0.16, -d / 2 + 0.65, w / 2 + 0.01, h + 0.05, d / 2, cover)
    .box(-w / 2, 0, -d / 2 - 0.05, w / 2, random.range(0.8, 1.2), -d / 2, frame);
  legs(piece, w, d, 0.12, 0.08, frame);
  for (const x of w > 1.3 ? [-w / 4, w / 4] : [0])
    piece.ball(x, h + 0.03, -d / 2 + 0.35, 0.28, sheet, 0.36);
  return piece;
};

const sofa: Maker = (random, palette) => {
  const w = random.pick([0.85, 1.6, 2.1]) * random.range(0.95, 1.1);
  const [d, h] = [random.range(0.8, 0.95), random.range(0.38, 0.46)];
  const cloth = palette.cloth(random.pick(['weave', 'plain', 'stripes']), 0.5);
  const piece = new Piece(w, d)
    .box(-w / 2, 0.08, -d / 2, w / 2, h - 0.12, d / 2, cloth)
    .box(-w / 2, 0.08, -d / 2, -w / 2 + 0.16, h + 0.2, d / 2, cloth)
    .box(w / 2 - 0.16, 0.08, -d / 2, w / 2, h + 0.2, d / 2, cloth)
    .box(-w / 2 + 0.16, h - 0.12, -d / 2, w / 2 - 0.16, h + 0.42, -d / 2 + 0.22, cloth);
  legs(piece, w - 0.1, d - 0.1, 0.08, 0.05, palette.wood());
  const seats = Math.max(1, Math.round((w - 0.32) / 0.65));
  const each = (w - 0.32) / seats;
  for (let i = 0; i < seats; i++) {
    const x = -w / 2 + 0.16 + i * each;
    piece.box(x + 0.005, h - 0.12, -d / 2 + 0.22, x + each - 0.005, h, d / 2, cloth);
    if (random.chance(0.5))
      piece.ball(
        x + each / 2,
        h + 0.18,
        -d / 2 + 0.33,
        0.2,
        palette.cloth(random.pick(['damask', 'weave', 'stripes'])),
        0.9,
      );
  }
  return piece;
};

const desk: Maker = (random, palette) => {
  const [w, d, h] = [random.range(1.1, 1.8), random.range(0.6, 0.8), 0.74];
  const [wood, dark] = [palette.furniture(), palette.metal()];
  const piece = new Piece(w, d).box(-w / 2, h - 0.03, -d / 2, w / 2, h, d / 2, wood);
  legs(piece, w, d, h - 0.03, 0.05, random.chance(0.5) ? dark : wood);
  piece.box(w / 2 - 0.45, 0.1, -d / 2 + 0.05, w / 2 - 0.05, h - 0.03, d / 2 - 0.05, wood);
  for (let n = random.int(0, 2), x = -w / 4; n > 0; n--, x += 0.62) {
    piece.box(x - 0.28, h + 0.12, -d / 4, x + 0.28, h + 0.45, -d / 4 + 0.03, dark);
    piece.box(
      x - 0.265,
      h + 0.135,
      -d / 4 + 0.03,
      x + 0.265,
      h + 0.435,
      -d / 4 + 0.032,
      palette.picture(),
    );
    piece.box(x - 0.03, h, -d / 4 - 0.02, x + 0.03, h + 0.14, -d / 4, dark);
    piece.box(x - 0.12, h, -d / 4 - 0.08, x + 0.12, h + 0.012, -d / 4 + 0.1, dark);
    piece.box(x - 0.2, h, d / 6, x + 0.2, h + 0.02, d / 6 + 0.13, dark);
  }
  strew(piece, random, palette, random.int(1, 4), w, d, h);
  return piece;
};

const kitchen: Maker = (random, palette) => {
  const [w, d, h] = [random.range(1.5, 3), 0.6, 0.9];
  const [front, top, metal] = [
    palette.lacquer(),
    random.chance(0.5) ? palette.wood() : palette.cloth('marble', 1.2),
    palette.metal(),
  ];
  const piece = new Piece(w, d)
    .box(-w / 2, 0.1, -d / 2, w / 2, h - 0.04, d / 2 - 0.04, front)
    .box(-w / 2, h - 0.04, -d / 2, w / 2, h, d / 2, top)
    .box(-w / 2, 0, -d / 2, w / 2, 0.1, d / 2 - 0.1, metal);
  const n = Math.round(w / 0.55);
  const high = random.chance(0.7);
  for (let i = 0; i < n; i++) {
    const x = -w / 2 + (i * w) / n;
    piece.box(x + 0.005, 0.11, d / 2 - 0.04, x + w / n - 0.005, h - 0.05, d / 2 - 0.02, front);
    piece.box(x + 0.08, h - 0.12, d / 2 - 0.02, x + w / n - 0.08, h - 0.105, d / 2 + 0.005, metal);
    if (high) piece.box(x + 0.004, 1.45, -d / 2, x + w / n - 0.004, 2.1, -d / 2 + 0.35, front);
  }
  strew(piece, random, palette, random.int(2, 7), w, d, h);
  return piece;
};

const plant: Maker = (random, palette) => {
  const [r, h] = [random.range(0.12, 0.22), random.range(0.2, 0.4)];
  const leaves = palette.leaves();
  const piece = new Piece(0.6, 0.6).column(0, 0, 0, h, r * 0.75, palette.glaze(), r);
  const crown = random.range(0.5, 1.2);
  piece.column(0, h - 0.01, 0, crown * 0.6, 0.025, palette.wood());
  for (let n = random.int(3, 7); n > 0; n--) {
    const size = random.range(0.1, 0.2);
    piece.ball(
      random.range(-0.16, 0.16),
      h + crown * random.range(0.45, 1),
      random.range(-0.16, 0.16),
      size,
      leaves,
      random.range(0.6, 1.2),
    );
  }
  return piece;
};

const things: Maker = (random, palette) => {
  const piece = new Piece(0.5, 0.5);
  const kind = random.int(0, 3);
  if (kind === 0) return piece.ball(0, 0.22, 0, 0.22, palette.glaze());
  if (kind === 1)
    return piece.column(0, 0, 0, random.range(0.3, 0.9), random.range(0.1, 0.22), palette.glaze());
  if (kind === 2) return piece.column(0, 0, 0, 0.38, 0.22, palette.cloth(), 0.24);
  let y = 0;
  for (let n = random.int(1, 3); n > 0; n--) {
    const [w, h, d] = [random.range(0.14, 0.25), random.range(0.15, 0.4), random.range(0.14, 0.25)];
    piece.box(
      -w,
      y,
      -d,
      w,
      y + h,
      d,
      random.chance(0.6) ? palette.wood('plain', 1) : palette.cloth(),
    );
    y += h;
  }
  return piece;
};

const fridge: Maker = (random, palette) => {
  const [w, d, h] = [0.6, 0.62, random.range(1.5, 1.95)];
  const [shell, metal] = [palette.lacquer(), palette.metal()];
  return new Piece(w, d)
    .box(-w / 2, 0.03, -d / 2, w / 2, h, d / 2 - 0.05, shell)
    .box(-w / 2, 0.05, d / 2 - 0.045, w / 2, h * 0.38, d / 2, shell)
    .box(-w / 2, h * 0.385, d / 2 - 0.045, w / 2, h, d / 2, shell)
    .box(-w / 2 + 0.04, h * 0.45, d / 2, -w / 2 + 0.07, h * 0.75, d / 2 + 0.04, metal);
};

/** What stands with its back to a wall. */
export const alongWalls: readonly Maker[] = [
  shelf,
  shelf,
  cabinet,
  cabinet,
  bed,
  sofa,
  sofa,
  desk,
  kitchen,
  table,
  fridge,
  lowTable,
];
/** What stands in a corner or anywhere. */
export const anywhere: readonly Maker[] = [
  chair,
  chair,
  plant,
  things,
  things,
  officeChair,
  lowTable,
  sofa,
];
/** What the middle of a room has. */
export const inTheMiddle: readonly Maker[] = [table, table, lowTable, desk, sofa];
export { chair, officeChair };
