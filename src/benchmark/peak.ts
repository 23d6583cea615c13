import { availableParallelism } from 'node:os';
import { loadRuntime } from '../inference/engines/load-runtime.ts';
import { defaultSettings, sessionOptions } from '../inference/session-settings.ts';

/** A convolution of 1×1, 512 to 512 channels at 28×28, as training/latency.py makes it. */
const model = [
  'CAg68gIKRgoMd2VpZ2h0X3NoYXBlEgZ3ZWlnaHQiD0NvbnN0YW50T2ZTaGFwZSodCgV2YWx1ZSoRCAEQASIECtcjPE',
  'IFdmFsdWWgAQQKQgoKYmlhc19zaGFwZRIEYmlhcyIPQ29uc3RhbnRPZlNoYXBlKh0KBXZhbHVlKhEIARABIgQK1yM8',
  'QgV2YWx1ZaABBApsCgF4CgZ3ZWlnaHQKBGJpYXMSCWNvbnZvbHZlZCIEQ29udioMCgVncm91cBgBoAECKhUKDGtlcm',
  '5lbF9zaGFwZUABQAGgAQcqEQoEcGFkc0AAQABAAEAAoAEHKhAKB3N0cmlkZXNAAUABoAEHChQKCWNvbnZvbHZlZBIB',
  'eSIEUmVsdRIFbGF5ZXIqGggEEAc6BoAEgAQBAUIMd2VpZ2h0X3NoYXBlKhQIARAHOgKABEIKYmlhc19zaGFwZVocCg',
  'F4EhcKFQgBEhEKAggBCgMIgAQKAggcCgIIHGIJCgF5EgQKAggBQgQKABAP',
].join('');
const macs = 512 * 512 * 28 * 28;
const shape = [1, 512, 28, 28];
const warmUpMs = 200;
const roundMs = 200;
const rounds = 5;

/**
 * Multiply-accumulates per second, in 10⁹, that ONNX Runtime reaches on this machine when only
 * arithmetic counts: the best of several rounds of a large matrix product on all processors.
 */
export async function peakGmacs(): Promise<number> {
  const threads = new Set([1, availableParallelism()]);
  let best = 0;
  // One after the other, so that each has the machine to itself.
  for (const count of threads) best = Math.max(best, await gmacs(count));
  return best;
}

async function gmacs(threads: number): Promise<number> {
  const ort = await loadRuntime();
  const options = sessionOptions({ ...defaultSettings, spinning: false }, threads, ['cpu']);
  const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), options);
  const data = new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(0.5);
  const feeds = { x: new ort.Tensor('float32', data, shape) };
  const rate = async (ms: number) => {
    const start = performance.now();
    let runs = 0;
    let elapsed = 0;
    while (elapsed < ms) {
      await session.run(feeds);
      runs++;
      elapsed = performance.now() - start;
    }
    return (runs * macs) / elapsed / 1e6;
  };
  await rate(warmUpMs);
  let best = 0;
  for (let round = 0; round < rounds; round++) best = Math.max(best, await rate(roundMs));
  await session.release();
  return best;
}
