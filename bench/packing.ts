import { measured } from '../src/benchmark/statistics.ts';
import type { DepthFrame } from '../src/core/frame.ts';
import { scaleRgb } from '../src/imaging/scale-rgb.ts';
import { DepthEstimator } from '../src/index.ts';
import { topicEncodings } from '../src/topic/header.ts';
import { packMessage, unpackMessage } from '../src/topic/message.ts';
import { decodeMessage, encodeMessage } from '../src/topic/message-codec.ts';
import type { Bench } from './support/bench.ts';
import { rooms } from './support/rooms.ts';

const frames = 12;
const size = { width: 224, height: 224 };

/** What each encoding of the depth topic costs, on the depth that the model estimates of rendered rooms. */
export const packing: Bench = {
  name: 'packing',
  summary: 'encodings of a 224×224 depth frame: bytes, and time to write and to read a message',
  async run({ rounds, model }, print) {
    const all = await estimated(model);
    for (const encoding of topicEncodings) {
      const bytes: number[] = [];
      const writing: number[] = [];
      const blocking: number[] = [];
      const reading: number[] = [];
      // The first round compiles.
      for (let round = -1; round < rounds; round++) {
        const spent = { write: 0, block: 0, read: 0, bytes: 0 };
        for (const frame of all) {
          const start = performance.now();
          const promise = encodeMessage(frame, { encoding, publishedAt: 0n, dropped: 0 });
          spent.block += performance.now() - start;
          const { header, payload } = await promise;
          spent.write += performance.now() - start;
          spent.bytes += payload.length;
          const message = packMessage('multipart', 'depth', header, payload);
          const received = performance.now();
          await decodeMessage(unpackMessage(message));
          spent.read += performance.now() - received;
        }
        if (round < 0) continue;
        bytes.push(spent.bytes / all.length / 1000);
        writing.push(spent.write / all.length);
        blocking.push(spent.block / all.length);
        reading.push(spent.read / all.length);
      }
      print(`${encoding}: payload`, 'kB', measured(bytes));
      print(`${encoding}: time to write`, 'ms', measured(writing));
      print(`${encoding}: of it before the main thread is free`, 'ms', measured(blocking));
      print(`${encoding}: time to read`, 'ms', measured(reading));
    }
  },
};

async function estimated(model: string): Promise<DepthFrame[]> {
  const shoot = rooms();
  const estimator = await DepthEstimator.open({ model });
  const all: DepthFrame[] = [];
  for (let index = 0; index < frames; index++) {
    const { truth: _, intrinsics: __, view: ___, ...picture } = shoot(index);
    all.push(
      await estimator.estimate({ ...picture, ...size, data: await scaleRgb(picture, size) }),
    );
  }
  await estimator.close();
  return all;
}
