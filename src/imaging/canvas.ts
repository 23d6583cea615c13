import type { Rectangle, Size } from '../core/size.ts';
import type { TextMask } from './text.ts';

/** An RGB picture that is put together from parts; `height × width × 3` bytes. */
export class Canvas implements Size {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;

  constructor({ width, height }: Size, shade: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3).fill(shade);
  }

  /** Copies RGB rows; the part must lie within the canvas. */
  put(data: Uint8Array, { left, top, width, height }: Rectangle): void {
    const row = width * 3;
    for (let y = 0; y < height; y++) {
      this.data.set(data.subarray(y * row, (y + 1) * row), ((top + y) * this.width + left) * 3);
    }
  }

  fill(part: Rectangle, [red, green, blue]: readonly [number, number, number]): void {
    const right = Math.min(this.width, part.left + part.width);
    const bottom = Math.min(this.height, part.top + part.height);
    for (let y = Math.max(0, part.top); y < bottom; y++) {
      for (let x = Math.max(0, part.left); x < right; x++) {
        const o = (y * this.width + x) * 3;
        this.data[o] = red;
        this.data[o + 1] = green;
        this.data[o + 2] = blue;
      }
    }
  }

  /** Draws light text with its top left corner at a pixel; what does not fit is cut off. */
  write(text: TextMask, left: number, top: number): void {
    const light = 235;
    for (let y = 0; y < text.height && top + y < this.height; y++) {
      if (top + y < 0) continue;
      for (let x = 0; x < text.width && left + x < this.width; x++) {
        const ink = (text.data[y * text.width + x] as number) / 255;
        if (ink === 0 || left + x < 0) continue;
        const o = ((top + y) * this.width + left + x) * 3;
        for (let c = o; c < o + 3; c++) {
          this.data[c] = (this.data[c] as number) * (1 - ink) + light * ink;
        }
      }
    }
  }
}
