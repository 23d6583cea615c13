import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import type { DepthFrame } from '../../src/core/frame.ts';
import { FrameRefused } from '../../src/core/frame-refused.ts';
import { fromMillimetres } from '../../src/depth/millimetres.ts';
import { toResiduals } from '../../src/depth/residuals.ts';
import {
  type MessageHeader,
  type PackedEncoding,
  packedEncodings,
} from '../../src/topic/header.ts';
import { CorruptMessage } from '../../src/topic/header-check.ts';
import { packMessage, unpackMessage } from '../../src/topic/message.ts';
import { decodeMessage, encodeMessage } from '../../src/topic/message-codec.ts';
import { loadCodec } from '../../src/topic/packed-depth.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';
import { pythonWith } from '../support/python.ts';

const encodings = Object.keys(packedEncodings) as PackedEncoding[];
const options = { publishedAt: 5n, dropped: 0 };
const frame = depthFrame(7, 5, 3, (x, y) => (x === 0 ? 0 : 0.1 + x / 3 + y));

const encode = (encoding: PackedEncoding, one: DepthFrame = frame) =>
  encodeMessage(one, { ...options, encoding });
/** As a reader does with the bytes of a message. */
const read = async (header: MessageHeader, payload: Uint8Array) =>
  decodeMessage(unpackMessage(packMessage('single', 'depth', header, payload)));

describe.each(encodings)('%s', (encoding) => {
  it('gives back every millimetre', async () => {
    const maps = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .chain(([width, height]) => {
        const length = width * height;
        const values = fc.uint16Array({ minLength: length, maxLength: length });
        return fc.record({ width: fc.constant(width), height: fc.constant(height), values });
      });
    await fc.assert(
      fc.asyncProperty(maps, async ({ width, height, values }) => {
        const data = fromMillimetres(values);
        const { header, payload } = await encode(encoding, { ...frame, width, height, data });
        expect(await read(header, payload)).toMatchObject({ kind: 'depth', width, height, data });
      }),
    );
  });

  it('has the header of the millimetres that come out, and the name of its compression', async () => {
    const { header, payload } = await encode(encoding);
    expect(header).toMatchObject({
      encoding,
      dtype: '<u2',
      shape: [5, 7],
      unit: 'mm',
      scale: 0.001,
    });
    const { decompress } = await loadCodec(packedEncodings[encoding]);
    const values = Uint16Array.from(frame.data, (metres) => Math.round(metres * 1000));
    expect([...(await decompress(payload, 70))]).toEqual([...toResiduals(values, frame)]);
  });

  it('refuses relative depth, and leaves other kinds as they are', async () => {
    await expect(encode(encoding, { ...frame, unit: 'relative' })).rejects.toThrow(FrameRefused);
    const { header } = await encodeMessage(imageFrame(4, 3), { ...options, encoding });
    expect(header.encoding).toBe('rgb8');
  });

  it('is corrupt where the payload is not what the header says', async () => {
    const { header, payload } = await encode(encoding);
    const { compress } = await loadCodec(packedEncodings[encoding]);
    const large = await compress(new Uint8Array(20_000_000));
    const lies: readonly (readonly [Partial<MessageHeader>, Uint8Array])[] = [
      [{}, large],
      [{}, await compress(new Uint8Array(69))],
      [{}, payload.subarray(0, payload.length - 3)],
      [{}, new Uint8Array(40)],
      [{}, new Uint8Array(0)],
      [{ shape: [5, 8], width: 8 }, payload],
      // Twice as many as may be unpacked, in a payload that has them.
      [{ shape: [8192, 8192], width: 8192, height: 8192 }, large],
    ];
    for (const [lie, bytes] of lies) {
      await expect(read({ ...header, ...lie }, bytes)).rejects.toThrow(CorruptMessage);
    }
  });

  it('is read by the readers in Python, with and without NumPy', async () => {
    const { header, payload } = await encode(encoding);
    const millimetres = [...frame.data].map((metres) => Math.round(metres * 1000));
    const input = JSON.stringify({
      header: JSON.stringify(header),
      payload: Buffer.from(payload).toString('hex'),
      snippet: encoding === '16UC1-deflate' ? documented() : '',
      large: Buffer.from(
        await (await loadCodec(packedEncodings[encoding])).compress(new Uint8Array(2_000_000)),
      ).toString('hex'),
    });
    const python = pythonWith('zmq', 'numpy', 'zstandard');
    const output = execFileSync(python, ['-c', script, join(packageDirectory(), 'examples')], {
      input,
      encoding: 'utf8',
      timeout: 60_000,
    });
    const results = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const readers = encoding === '16UC1-deflate' ? 3 : 2;
    expect(results).toEqual([...Array(readers).fill(millimetres), 'corrupt', 'corrupt']);
  });
});

// Node.js 20 has no zstd of its own: one end may have it, and the other the library.
it.each([
  ['the library', 'KLUv/SBGbQEA+ABinJqanJoA0ADQANAA0AADAgAHAAcABwAHAAAAAAAIEACCD/dYWPDhhgUk'],
  ['Node.js 22', 'KLUv/QBIbQEA+ABinJqanJoA0ADQANAA0AADAgAHAAcABwAHAAAAAAAIEACCD/dYWPDhhgUk'],
])('reads what zstd of %s writes', async (_, payload) => {
  const { header } = await encode('16UC1-zstd');
  const { data } = (await read(header, Buffer.from(payload, 'base64'))) as DepthFrame;
  const millimetres = (depth: Float32Array) =>
    [...depth].map((metres) => Math.round(metres * 1000));
  expect(millimetres(data)).toEqual(millimetres(frame.data));
});

it('no stream of deflate unpacks to more than what is allowed before unpacking', async () => {
  const { header } = await encode('16UC1-deflate');
  const [width, height] = [2 ** 11, 2 ** 10];
  const zeros = deflateRawSync(new Uint8Array(2 * width * height), { level: 9 });
  const claim = { ...header, width, height, shape: [height, width] };
  const { data } = (await read(claim, zeros)) as DepthFrame;
  expect(data).toHaveLength(width * height);
});

function documented(): string {
  const text = readFileSync(join(packageDirectory(), 'docs/depth-topic.md'), 'utf8');
  const [, section = ''] = text.split('## Compressed depth');
  return /```python\n(.*?)```/s.exec(section)?.[1] as string;
}

/** Prints the millimetres that each reader gives. */
const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
import depth_subscriber
given = json.load(sys.stdin)
header, payload, large = given["header"].encode(), bytes.fromhex(given["payload"]), bytes.fromhex(given["large"])
for numpy in (depth_subscriber.numpy, None):
    depth_subscriber.numpy = numpy
    print(json.dumps([value for row in depth_subscriber.decode([b"depth", header, payload]).array.tolist() for value in row]))
if given["snippet"]:
    exec(given["snippet"])
    print(json.dumps(unpack(payload, json.loads(header)["shape"]).flatten().tolist()))
for bad in (large, payload[:-3]):
    try:
        depth_subscriber.decode([b"depth", header, bad])
    except depth_subscriber.CorruptMessage:
        print('"corrupt"')
`;
