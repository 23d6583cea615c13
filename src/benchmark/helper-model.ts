import type { ProcessChoice } from '../inference/engines/choice.ts';
import { DepthEstimator } from '../inference/estimator.ts';

/** A helper as `depthline tune` starts it: loading may take minutes, a picture seconds. */
export function helperChoice(command: readonly string[]): ProcessChoice {
  return { name: 'process', command, deadlineMs: 10_000, startWithinMs: 60_000 };
}

export interface HelperModelOptions {
  readonly model: string;
  readonly baseDirectory: string;
  /** The helper's program and its arguments. */
  readonly command: readonly string[];
  readonly workers: number;
  /** Pictures in progress at the same time; one that waits keeps a worker from idling. */
  readonly inFlight: number;
}

/** A model that helpers run in a loop on request, through the engine `process`. */
export class HelperModel {
  readonly #estimator: DepthEstimator;
  readonly #inFlight: number;

  private constructor(estimator: DepthEstimator, inFlight: number) {
    this.#estimator = estimator;
    this.#inFlight = inFlight;
  }

  /** @throws DepthlineError if the helper cannot be started, or cannot load the model */
  static async open(options: HelperModelOptions): Promise<HelperModel> {
    const { command, inFlight, ...others } = options;
    const engine = helperChoice(command);
    return new HelperModel(
      await DepthEstimator.open({ ...others, engine, tuned: false }),
      inFlight,
    );
  }

  /**
   * @param signal to stop early: the run rejects with its reason
   * @returns pictures per second of all workers
   */
  async run(seconds: number, signal?: AbortSignal): Promise<{ readonly fps: number }> {
    const { width, height } = this.#estimator.model.manifest.input;
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i * 7919) >> 3) & 255);
    const picture = { width, height, data, format: 'rgb' } as const;
    await this.#estimator.estimate(picture);
    const start = performance.now();
    let runs = 0;
    const work = async () => {
      while (performance.now() - start < seconds * 1000) {
        signal?.throwIfAborted();
        await this.#estimator.estimate(picture);
        runs++;
      }
    };
    await Promise.all(Array.from({ length: this.#inFlight }, work));
    return { fps: (1000 * runs) / (performance.now() - start) };
  }

  close(): Promise<void> {
    return this.#estimator.close();
  }
}
