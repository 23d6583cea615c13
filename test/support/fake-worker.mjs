// An inference worker without a model, for what a real one cannot be made to do: it answers with
// depth 1 everywhere, and the first byte of a picture tells it to die (1), or to hang (2). With
// `manifest.name` "stillborn" only the first start succeeds.
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort, threadId, workerData } from 'node:worker_threads';

const { manifest, path } = workerData;
if (manifest.name === 'stillborn') {
  if (existsSync(`${path}.started`)) throw new Error('out of memory');
  writeFileSync(`${path}.started`, '');
}
parentPort.postMessage({ type: 'ready', description: '', problem: undefined });
parentPort.on('message', ({ type, id, pixels }) => {
  if (type === 'close') return parentPort.close();
  const [order] = new Uint8Array(pixels);
  if (order === 1) throw new Error('segmentation fault');
  if (order === 2) for (;;);
  const { width, height } = manifest.input;
  const depth = new Float32Array(width * height).fill(threadId).buffer;
  parentPort.postMessage({ type: 'depth', id, depth, width, height, ms: 1, pixels }, [
    depth,
    pixels,
  ]);
});
