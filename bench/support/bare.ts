import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { findModel } from '../../src/inference/model-files.ts';
import { cpuMs, family } from './processes.ts';

export interface Rate {
  readonly fps: number;
  /** CPU time of all processes, milliseconds per frame. */
  readonly cpuMsPerFrame: number;
}

/** Sessions of a model that run in a bare loop, a thread each, whenever they are asked to. */
export class BareLoop {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  static async open(model: string, workers: number, threads: number): Promise<BareLoop> {
    const { manifest, path } = await findModel(model, process.cwd());
    const { input, output } = manifest;
    const started = Array.from({ length: workers }, () => {
      const workerData = { path, input, output, threads };
      return new Worker(new URL('./bare-worker.js', import.meta.url), { workerData, execArgv: [] });
    });
    await Promise.all(started.map((worker) => once(worker, 'message')));
    return new BareLoop(started);
  }

  async run(seconds: number): Promise<Rate> {
    const pids = family();
    const before = cpuMs(pids);
    const results = await Promise.all(
      this.#workers.map(async (worker) => {
        const answer = once(worker, 'message') as Promise<[{ runs: number; ms: number }]>;
        worker.postMessage(seconds);
        return (await answer)[0];
      }),
    );
    const runs = results.reduce((sum, result) => sum + result.runs, 0);
    const fps = results.reduce((sum, result) => sum + (1000 * result.runs) / result.ms, 0);
    return { fps, cpuMsPerFrame: (cpuMs(pids) - before) / runs };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
