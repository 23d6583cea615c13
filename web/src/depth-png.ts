import type { Depth } from './decoder.ts';

/** 16-bit grey PNG of the steps (millimetres where the unit is metres; 0: not measured). */
export async function depthPng({ width, height, steps }: Depth): Promise<Blob> {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  // 16 bits, grey.
  header.setUint8(8, 16);
  const rowBytes = 1 + 2 * width;
  const rows = new DataView(new ArrayBuffer(height * rowBytes));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      rows.setUint16(y * rowBytes + 1 + 2 * x, steps[y * width + x] as number);
  }
  return new Blob(
    [
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
      chunk('IHDR', new Uint8Array(header.buffer)),
      chunk('IDAT', await deflated(rows.buffer)),
      chunk('IEND', new Uint8Array()),
    ],
    { type: 'image/png' },
  );
}

async function deflated(bytes: ArrayBuffer): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Length, type, data, CRC-32 of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
