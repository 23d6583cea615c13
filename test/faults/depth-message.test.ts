import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isPacked, type MessageHeader, topicEncodings } from '../../src/topic/header.ts';
import { CorruptMessage } from '../../src/topic/header-check.ts';
import { decodeFrame, framings, packMessage, unpackMessage } from '../../src/topic/message.ts';
import { decodeMessage, encodeMessage } from '../../src/topic/message-codec.ts';
import { subscribeDepth } from '../../src/topic/subscribe-depth.ts';
import { depthFrame, imageFrame } from '../support/frames.ts';
import { fc } from '../support/property.ts';
import { message, publisher, sendUntil } from '../support/topic.ts';
import { handshake, longFrame } from '../support/zmtp.ts';

/** More in the long form: FUZZ_RUNS=100000 npx vitest run test/faults */
const numRuns = Number(process.env.FUZZ_RUNS ?? 2000);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const about = { publishedAt: 5n, dropped: 0 };
const honest = await Promise.all([
  ...topicEncodings.map((encoding) => encodeMessage(depthFrame(7, 5), { ...about, encoding })),
  encodeMessage(imageFrame(4, 3), { ...about, encoding: '32FC1' }),
]);

/** JSON whose text or nesting does harm, so that it cannot be made from an object. */
const deep = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`;
const withoutText = '{"toString":1,"valueOf":1}';
const lie = fc.oneof(
  fc.constantFrom(deep, withoutText, `[${withoutText}]`, '"\\u001b[2J\\u202e"', '1e400', '-1', '0'),
  fc.constantFrom('[0,1000000000000]', '[1000000000000,0]', '[5,7.5]', `"${'x'.repeat(50_000)}"`),
  fc.constantFrom('"__proto__"', '"constructor"', 'null', 'true', '[]', '{}', '"32FC3"', '"json"'),
  fc.json({ maxDepth: 3 }),
);
const fields = [
  ...['v', 'kind', 'seq', 'pts', 'capturedAt', 'publishedAt', 'source', 'width', 'height'],
  ...['dtype', 'shape', 'encoding', 'unit', 'scale', 'invalid', 'range', 'intrinsics', 'model'],
  ...['dropped', '__proto__', 'toJSON'],
];

function told(header: MessageHeader, lies: readonly (readonly [string, string])[]): string {
  const texts = new Map(
    Object.entries(header).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  for (const [name, text] of lies) texts.set(name, text);
  return `{${[...texts].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

/** The message with another header; in a single part its length says so. */
function lying(framing: (typeof framings)[number], header: string, payload: Uint8Array) {
  const bytes = Buffer.from(header);
  if (framing === 'multipart') return [Buffer.from('depth'), bytes, Buffer.from(payload)];
  const start = Buffer.alloc(Math.ceil((6 + 4 + bytes.length) / 64) * 64);
  start.write('depth\0');
  start.writeUInt32LE(bytes.length, 6);
  bytes.copy(start, 10);
  return [Buffer.concat([start, payload])];
}

describe.each(framings)('a %s message whose header lies', (framing) => {
  it('is a frame that its payload confirms, or corrupt with a printable message', async () => {
    let corrupt = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...honest),
        fc.array(fc.tuple(fc.constantFrom(...fields), lie), { minLength: 1, maxLength: 3 }),
        async ({ header, payload }, lies) => {
          try {
            const unpacked = unpackMessage(lying(framing, told(header, lies), payload));
            const frame = await decodeMessage(unpacked);
            // A reader may print it.
            JSON.stringify(unpacked.header);
            expect(typeof frame.source).toBe('string');
            if (frame.kind === 'depth' || frame.kind === 'image') {
              const { width = frame.width, height = frame.height } = unpacked.header;
              expect([width, height]).toEqual([frame.width, frame.height]);
              expect(width * height).toBeGreaterThan(0);
              if (isPacked(unpacked.header.encoding)) expect(width * height).toBe(35);
              else expect(width * height).toBeLessThanOrEqual(payload.length);
            }
          } catch (error) {
            if (!(error instanceof CorruptMessage)) throw error;
            corrupt++;
            expect(error.message).not.toMatch(/[^\n\P{C}]/u);
            expect(error.message.length).toBeLessThan(2000);
          }
        },
      ),
      { numRuns, seed: 20_19 },
    );
    expect(corrupt).toBeGreaterThan(numRuns / 4);
  });
});

it.each([
  ['nested too deeply', deep],
  ['nothing but brackets', '['.repeat(100_000)],
])('data that is %s is corrupt', (_, text) => {
  const payload = Buffer.from(text);
  const data = { kind: 'data', dtype: '|u1', encoding: 'json', shape: [payload.length] };
  const header = { ...honest[0]?.header, ...data, width: undefined, height: undefined };
  const parts = packMessage('multipart', 'depth', header as never, payload);
  expect(() => decodeFrame(unpackMessage(parts))).toThrow(CorruptMessage);
});

it('a subscriber disconnects a publisher that announces more than any message has', async () => {
  const hungUp = new Promise<void>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('close', resolve);
      socket.write(handshake('PUB'));
      // What it subscribes to is the last of its handshake.
      let received = Buffer.alloc(0);
      socket.on('data', (bytes) => {
        received = Buffer.concat([received, bytes]);
        if (received.includes('\x01depth')) socket.write(longFrame(2n ** 32n));
      });
    });
    closing.push(() => server.close());
    server.listen(0, '127.0.0.1', async () => {
      const { port } = server.address() as AddressInfo;
      const stop = new AbortController();
      closing.push(() => stop.abort());
      for await (const _ of subscribeDepth(`tcp://127.0.0.1:${port}`, { signal: stop.signal }));
    });
  });
  await hungUp;
});

it.each([true, false])('a subscriber with latest: %s continues after every lie', async (latest) => {
  const { socket, endpoint } = await publisher();
  const [first] = honest;
  if (!first) throw new Error('no message');
  const texts = [deep, withoutText, '[0,1000000000000]'];
  const lies = fields.flatMap((name) => texts.map((text) => [name, text] as const));
  const done = new AbortController();
  const sending = sendUntil(socket, done.signal, 1, (n) => {
    const one = lies[n % lies.length];
    if (n % 2 === 0 || !one) return message(depthFrame(7, 5, n));
    return lying('multipart', told(first.header, [one]), first.payload);
  });
  closing.push(async () => {
    done.abort();
    await sending;
    socket.close();
  });
  const seqs: number[] = [];
  let corrupt = 0;
  const options = { latest, onCorrupt: () => void corrupt++ };
  for await (const { seq } of subscribeDepth(endpoint, options)) {
    seqs.push(seq);
    if (seqs.length > 100 && corrupt > 40) break;
  }
  expect(corrupt).toBeGreaterThan(40);
});
