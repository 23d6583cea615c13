// An inference worker without a model, for what a real one cannot be made to do: it answers with
// depth 1 everywhere, and the first byte of a picture tells it to die (1). With `manifest.name`
// "stillborn" only the first start succeeds.
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort, threadId, workerData } from 'node:worker_threads';

const { manifest, path } = workerData;
if (manifest.name === 'stillborn') {
  if (existsSync(`${path}.started`)) throw new Error('out of memory');
  writeFileSync(`${path}.started`, '');
}
const { width, height } = manifest.input;
const slots = [0, 1].map(() => ({
  pixels: new SharedArrayBuffer(width * height * 4),
  depth: new SharedArrayBuffer(width * height * 4),
  frame: new SharedArrayBuffer(64),
}));
parentPort.postMessage({
  type: 'ready',
  description: 'a fake',
  notes: [],
  slots,
  width,
  height,
});
parentPort.on('message', ({ type, pictures }) => {
  if (type === 'close') return parentPort.close();
  const [{ slot }] = pictures;
  const [order] = new Uint8Array(slots[slot].pixels);
  if (order === 1) throw new Error('segmentation fault');
  new Float32Array(slots[slot].depth).fill(threadId);
  parentPort.postMessage({ type: 'depth', slots: [slot], ms: 1 });
});
