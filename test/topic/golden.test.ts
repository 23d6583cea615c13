import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Frame } from '../../src/core/frame.ts';
import {
  decodeFrame,
  encodeFrame,
  framings,
  packMessage,
  unpackMessage,
} from '../../src/topic/message.ts';

// Messages as readers in other languages know them. After a change of the format on purpose:
// npx vitest run test/topic/golden.test.ts --update

const base = {
  seq: 41,
  pts: 1_366_666_666n,
  capturedAt: 1_700_000_000_123_456_789n,
  source: 'usb-camera',
  intrinsics: { fx: 525.5, fy: 525, cx: 1.5, cy: -0.25 },
};
const depth: Frame = {
  ...base,
  kind: 'depth',
  width: 4,
  height: 2,
  data: Float32Array.of(0, 0.0004, 0.0005, 1.2345, 9.9994, 65.535, 100, Number.NaN),
  range: [0.1, 10],
  model: { name: 'fastdepth ü', sha256: 'ab'.repeat(32) },
};
const frames: Readonly<Record<string, Frame>> = {
  depth,
  rgb: {
    ...base,
    kind: 'image',
    width: 2,
    height: 1,
    format: 'rgb',
    data: Uint8Array.of(0, 1, 2, 253, 254, 255),
  },
  rgba: {
    ...base,
    kind: 'image',
    width: 1,
    height: 2,
    format: 'rgba',
    data: Uint8Array.of(0, 1, 2, 3, 252, 253, 254, 255),
  },
  points: { ...base, kind: 'points', count: 2, data: Float32Array.of(-1, 0.5, 2, 1, -0.5, 3.25) },
  data: { ...base, kind: 'data', value: { nearest: 0.75, zones: ['left', null], 'ä"\n': true } },
};

const cases = Object.keys(frames).flatMap((name) =>
  framings.flatMap((framing) =>
    (name === 'depth' ? (['32FC1', '16UC1'] as const) : (['32FC1'] as const)).map(
      (encoding) => [name, framing, encoding] as const,
    ),
  ),
);

it.each(cases)(
  'a message of %s, %s, %s is the one in the file',
  async (name, framing, encoding) => {
    const frame = frames[name] as Frame;
    const options = { encoding, publishedAt: 1_700_000_000_133_456_789n, dropped: 3 };
    const { header, payload } = encodeFrame(frame, options);
    const parts = packMessage(framing, 'depth', header, payload);
    const file = `../fixtures/topic/${[name, framing, ...(name === 'depth' ? [encoding] : [])].join('-')}.txt`;
    await expect(parts.map(dump).join('\n\n')).toMatchFileSnapshot(
      fileURLToPath(new URL(file, import.meta.url)),
    );
    // And it is read as what it is.
    const message = unpackMessage(parts);
    expect(message.topic).toBe('depth');
    expect(message.header).toEqual(header);
    expect(Buffer.from(message.payload)).toEqual(Buffer.from(payload));
    expect(decodeFrame(message)).toMatchObject({ ...base, kind: frame.kind });
  },
);

/** Bytes as `xxd` shows them, and their hash. */
function dump(part: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < part.length; at += 16) {
    const bytes = Buffer.from(part.subarray(at, at + 16));
    const text = bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${bytes.toString('hex').padEnd(32)}  ${text}`);
  }
  return [...lines, `sha256 ${createHash('sha256').update(part).digest('hex')}`].join('\n');
}
