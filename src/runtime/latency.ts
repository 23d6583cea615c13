import { createHistogram } from 'node:perf_hooks';

/** Percentiles of a latency, milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Of the histogram, microseconds. */
const longestUs = Number.MAX_SAFE_INTEGER;

/** Latencies in a histogram of fixed size: three significant digits, any number of samples. */
export class LatencyRecorder {
  readonly #histogram = createHistogram();

  /** @param ms any number: a frame from elsewhere may claim to be of any age */
  record(ms: number): void {
    this.#histogram.record(Math.min(longestUs, Math.max(1, Math.round(ms * 1000))));
  }

  get count(): number {
    return this.#histogram.count;
  }

  add(other: LatencyRecorder): void {
    this.#histogram.add(other.#histogram);
  }

  /** Milliseconds; `undefined` when nothing was recorded. */
  percentiles(): Percentiles | undefined {
    if (this.count === 0) return undefined;
    const at = (p: number) => this.#histogram.percentile(p) / 1000;
    return { p50: at(50), p95: at(95), p99: at(99) };
  }
}
