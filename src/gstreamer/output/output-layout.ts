import { frameRate } from '../frame-rate.ts';

/** Rows as GStreamer lays them out, padded to a multiple of 4 bytes; `packed` itself if they are. */
export function padRows(packed: Buffer, row: number, height: number): Buffer {
  const stride = (row + 3) & ~3;
  if (stride === row) return packed;
  const padded = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) packed.copy(padded, y * stride, y * row, (y + 1) * row);
  return padded;
}

/** NTSC's rates, which are close to whole ones but are not rounded to them. */
const usual = [24, 30, 48, 60, 120].map((whole) => (whole * 1000) / 1001);

/** Frames per second of frames that are `interval` nanoseconds apart, as a fraction for caps. */
export function nominalRate(interval: bigint): string {
  const fps = 1e9 / Number(interval);
  if (!(fps > 0) || fps > 1000) return '30/1';
  const known = usual.find((rate) => Math.abs(fps - rate) / rate < 1e-4);
  if (known) return frameRate(Number(known.toFixed(3)));
  const whole = Math.round(fps);
  if (whole >= 1 && Math.abs(fps - whole) / fps < 0.02) return `${whole}/1`;
  return frameRate(Math.max(0.001, Number(fps.toFixed(3))));
}
