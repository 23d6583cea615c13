// Loads every native part, and uses it once.
import { compressSync, uncompressSync } from 'lz4-napi';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { Publisher, Subscriber } from 'zeromq';

const { header } = process.report.getReport();
console.log(`Node.js ${process.version}, ${process.arch}, glibc ${header.glibcVersionRuntime}`);

const session = await ort.InferenceSession.create('models/fastdepth.onnx');
console.log(
  `onnxruntime-node ${ort.env.versions.node}: ${session.inputNames} → ${session.outputNames}`,
);
await session.release();

const png = await sharp({ create: { width: 8, height: 6, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
if (info.width !== 8 || data[0] !== 255) throw new Error('sharp decodes another picture');
console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`);

const publisher = new Publisher();
await publisher.bind('tcp://127.0.0.1:*');
const subscriber = new Subscriber({ receiveTimeout: 20_000 });
subscriber.connect(publisher.lastEndpoint);
subscriber.subscribe();
const sending = setInterval(() => publisher.send('depth'), 50);
const [message] = await subscriber.receive();
clearInterval(sending);
if (String(message) !== 'depth') throw new Error('zeromq delivers another message');
subscriber.close();
publisher.close();
console.log('zeromq: one message delivered');

if (uncompressSync(compressSync(Buffer.alloc(1000, 7))).length !== 1000)
  throw new Error('lz4-napi');
console.log('lz4-napi: packed and unpacked');
