import type { Random } from './random.ts';
import { type Colour, type Material, material } from './scene.ts';
import type { PatternName } from './textures.ts';

/** A colour from hue (turns), saturation and value, each 0 to 1. */
export function hsv(hue: number, saturation: number, value: number): Colour {
  const channel = (n: number) => {
    const k = (n + hue * 6) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

const dim = ([r, g, b]: Colour, k: number): Colour => [r * k, g * k, b * k];

/** Colours and materials as rooms have them: mostly quiet, now and then a strong one. */
export class Palette {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  colour(strength = 0.6): Colour {
    const r = this.#random;
    return hsv(r.next(), r.range(0.05, strength), r.range(0.3, 0.95));
  }

  wall(): Material {
    const r = this.#random;
    const paint = r.chance(0.7)
      ? hsv(r.range(0.05, 0.18), r.range(0.02, 0.22), r.range(0.72, 0.96))
      : hsv(r.next(), r.range(0.1, 0.45), r.range(0.45, 0.9));
    const kind = r.next();
    if (kind < 0.55)
      return material('plaster', [dim(paint, 0.9), paint], { tile: r.range(1.5, 3) });
    if (kind < 0.68)
      return material('stripes', [dim(paint, 0.75), paint], { tile: r.range(0.8, 2) });
    if (kind < 0.8)
      return material('damask', [dim(paint, 0.78), paint], { tile: r.range(0.7, 1.6) });
    if (kind < 0.9) {
      const brick = hsv(r.range(0.01, 0.06), r.range(0.35, 0.65), r.range(0.45, 0.7));
      const joint = hsv(0.1, 0.08, r.range(0.6, 0.8));
      return material('bricks', [dim(brick, 0.6), brick, joint], { tile: r.range(0.8, 1) });
    }
    if (kind < 0.95) return this.wood('boards', r.range(0.9, 1.6));
    return material('tiles', [hsv(0.1, 0.05, 0.6), paint, dim(paint, 1.04)], {
      tile: r.range(0.6, 1.2),
    });
  }

  ceiling(): Material {
    const r = this.#random;
    const white = hsv(0.12, r.range(0, 0.08), r.range(0.82, 0.97));
    return r.chance(0.1)
      ? material('tiles', [dim(white, 0.7), white], { tile: 2.4 })
      : material('plaster', [dim(white, 0.95), white], { tile: 3 });
  }

  floor(): Material {
    const r = this.#random;
    const kind = r.next();
    if (kind < 0.45) return this.wood(r.chance(0.5) ? 'boards' : 'wideBoards', r.range(0.9, 1.7));
    if (kind < 0.65) {
      const stone = hsv(r.range(0.05, 0.6), r.range(0.02, 0.2), r.range(0.5, 0.85));
      return material('tiles', [dim(stone, 0.5), dim(stone, 0.85), stone], {
        tile: r.range(1.2, 2.4),
      });
    }
    if (kind < 0.73) {
      const dark = this.colour(0.3);
      return material('checker', [dim(dark, 0.4), hsv(0.1, 0.05, 0.88)], { tile: r.range(1.2, 2) });
    }
    if (kind < 0.93) return this.cloth('carpet', r.range(0.8, 1.4));
    return material('marble', [hsv(0.1, 0.1, 0.55), hsv(0.1, 0.05, 0.9)], {
      tile: r.range(1.5, 3),
    });
  }

  wood(pattern: PatternName = 'grain', tile = 0): Material {
    const r = this.#random;
    const light = hsv(r.range(0.05, 0.11), r.range(0.25, 0.6), r.range(0.35, 0.85));
    return material(pattern, [dim(light, 0.6), light, dim(light, 1.12)], {
      tile: tile || r.range(0.4, 0.9),
    });
  }

  /** Painted or laminated boards. */
  lacquer(): Material {
    const r = this.#random;
    const paint = r.chance(0.6) ? hsv(0.1, r.range(0, 0.1), r.range(0.6, 0.95)) : this.colour(0.7);
    return material('plain', [dim(paint, 0.95), paint], { tile: 1.3 });
  }

  furniture(): Material {
    return this.#random.chance(0.6) ? this.wood() : this.lacquer();
  }

  cloth(pattern: PatternName = 'weave', tile = 0.35): Material {
    const dye = this.colour(0.65);
    return material(pattern, [dim(dye, 0.65), dye], { tile });
  }

  metal(): Material {
    const grey = this.#random.range(0.15, 0.7);
    return material('plain', [hsv(0.6, 0.05, grey), hsv(0.6, 0.04, grey * 1.2)], { tile: 0.7 });
  }

  glaze(): Material {
    const colour = this.colour(0.9);
    return material(
      this.#random.pick(['plain', 'plain', 'marble', 'stripes']),
      [dim(colour, 0.85), colour],
      { tile: 0.5 },
    );
  }

  leaves(): Material {
    const r = this.#random;
    const green = hsv(r.range(0.22, 0.38), r.range(0.4, 0.8), r.range(0.35, 0.7));
    return material('leaves', [dim(green, 0.25), dim(green, 0.8), green], { tile: 0.5 });
  }

  picture(): Material {
    const r = this.#random;
    const pattern = r.pick(['hills', 'outside', 'poster', 'cover', 'collage', 'print'] as const);
    if (pattern === 'print')
      return material(
        pattern,
        [
          [0.1, 0.1, 0.1],
          [0.9, 0.88, 0.82],
        ],
        { tile: 0 },
      );
    const colours = Array.from({ length: r.int(3, 6) }, () =>
      hsv(r.next(), r.range(0.1, 0.9), r.range(0.1, 0.95)),
    );
    return material(pattern, colours, { tile: 0 });
  }

  outside(glow: number): Material {
    const r = this.#random;
    const green = hsv(r.range(0.2, 0.4), r.range(0.2, 0.6), r.range(0.3, 0.6));
    const sky = hsv(r.range(0.52, 0.62), r.range(0.05, 0.45), 0.95);
    return material('outside', [dim(green, 0.5), green, sky, [1, 1, 1]], { tile: 0, glow });
  }

  rug(): Material {
    return material('rug', [this.colour(0.8), this.colour(0.8), hsv(0.1, 0.15, 0.85)], { tile: 0 });
  }

  glowing(tint: Colour, glow: number): Material {
    return material('plain', [tint], { tile: 1, glow });
  }
}
