import { fraction } from './fraction.ts';

/** Kinds of rates whose decimals never end: those of NTSC, of which 29.97 is one, and thirds. */
const endless = [
  { unit: 1000, per: 1001 },
  { unit: 1, per: 3 },
] as const;

/** Such a rate is recognised by its decimals, so it has to have some. */
const fewestDecimals = 2;

/**
 * Frames per second as the exact fraction of GStreamer's caps, which is what devices offer: `30/1` for
 * 30, `30000/1001` for 29.97, `24000/1001` for 23.976 and 23.98, `100/3` for 33.33, `15/2` for 7.5.
 */
export function frameRate(fps: number): string {
  const decimals = String(fps).split('.')[1]?.length ?? 0;
  if (decimals < fewestDecimals) return fraction(fps);
  const digits = Math.min(decimals, 12);
  for (const { unit, per } of endless) {
    const times = Math.round((fps * per) / unit);
    const rate = (times * unit) / per;
    if (rate.toFixed(digits) === fps.toFixed(digits)) return `${times * unit}/${per}`;
  }
  return fraction(fps);
}

/** Presentation time of the `n`-th frame at that rate, nanoseconds. */
export function frameTime(n: number, fps: number): bigint {
  const [numerator, denominator] = frameRate(fps).split('/') as [string, string];
  const top = BigInt(n) * 1_000_000_000n * BigInt(denominator);
  const bottom = BigInt(numerator);
  return (top + bottom / 2n) / bottom;
}
