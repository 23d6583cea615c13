/** Rows as GStreamer lays them out, padded to a multiple of 4 bytes; `packed` itself if they are. */
export function padRows(packed: Buffer, row: number, height: number): Buffer {
  const stride = (row + 3) & ~3;
  if (stride === row) return packed;
  const padded = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) packed.copy(padded, y * stride, y * row, (y + 1) * row);
  return padded;
}

/** Frames per second of frames that are `interval` nanoseconds apart, as a fraction for caps. */
export function nominalRate(interval: bigint): string {
  const fps = 1e9 / Number(interval);
  if (!(fps > 0) || fps > 1000) return '30/1';
  const whole = Math.round(fps);
  if (whole >= 1 && Math.abs(fps - whole) / fps < 0.02) return `${whole}/1`;
  return `${Math.max(1, Math.round(fps * 1000))}/1000`;
}
