import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryPoint } from '../core/entry-point.ts';
import { DepthlineError, reason } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { cpuMs, family } from '../device/processes.ts';
import type { EngineChoice, OnnxRuntimeChoice } from '../inference/engines/choice.ts';
import type { Manifest } from '../inference/manifest.ts';
import { findModel } from '../inference/model-files.ts';
import { defaultSettings, type SessionSettings } from '../inference/session-settings.ts';

export interface Rate {
  readonly fps: number;
  /** CPU time of all processes, milliseconds per frame. */
  readonly cpuMsPerFrame: number;
}

export interface BareOptions {
  readonly model: string;
  readonly baseDirectory?: string;
  readonly workers?: number;
  readonly threads?: number;
  /** Pictures in each call; default: 1. */
  readonly batch?: number;
  readonly providers?: readonly string[];
  /** Which build of ONNX Runtime runs it, and options of its providers; another engine counts as none. */
  readonly engine?: EngineChoice;
  /** A file to use in place of the model's own. */
  readonly path?: string;
  readonly session?: SessionSettings;
}

/** The data its worker starts with. */
export interface BareSetup extends Pick<Manifest, 'input' | 'output'> {
  readonly path: string;
  readonly threads: number;
  readonly batch: number;
  readonly providers: readonly string[];
  readonly engine: OnnxRuntimeChoice | undefined;
  readonly session: SessionSettings;
  /** Not 0: it is to stop what it measures. */
  readonly stopped: Int32Array;
}

/** Sessions of a model that run in a bare loop on request, each in its own thread. */
export class BareModel {
  readonly #workers: readonly Worker[];
  readonly #stopped: Int32Array;
  readonly #gone: Promise<unknown>;

  private constructor(workers: readonly Worker[], stopped: Int32Array) {
    this.#workers = workers;
    this.#stopped = stopped;
    this.#gone = Promise.all(
      workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))),
    );
  }

  /** @throws DepthlineError `MODEL` if the model is missing or cannot be run */
  static async open(options: BareOptions): Promise<BareModel> {
    const { model, baseDirectory = process.cwd(), workers = 1 } = options;
    const { threads = 1, batch = 1, providers = ['cpu'], session = defaultSettings } = options;
    const engine = inPlace(options.engine, baseDirectory);
    const found = await findModel(model, baseDirectory);
    const { input, output } = found.manifest;
    const path = options.path ?? found.path;
    const stopped = new Int32Array(new SharedArrayBuffer(4));
    const workerData: BareSetup = {
      ...{ path, input, output, threads, batch, providers, engine, session, stopped },
    };
    const entry = entryPoint('benchmark/bare-worker');
    const started = Array.from(
      { length: workers },
      () => new Worker(entry, { workerData, execArgv: [] }),
    );
    const bare = new BareModel(started, stopped);
    try {
      await Promise.all(started.map((worker) => once(worker, 'message')));
      return bare;
    } catch (cause) {
      await bare.close();
      throw new DepthlineError('MODEL', `${path} cannot be run: ${reason(cause)}`, { cause });
    }
  }

  /** @param signal to stop early: the run rejects with its reason */
  async run(seconds: number, signal?: AbortSignal): Promise<Rate> {
    if (!signal) return this.#run(seconds);
    signal.throwIfAborted();
    let stop = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([this.#run(seconds), stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #run(seconds: number): Promise<Rate> {
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

  /** Waits for a picture in progress: a worker that is terminated then takes the process with it. */
  async close(): Promise<void> {
    Atomics.store(this.#stopped, 0, 1);
    for (const worker of this.#workers) worker.postMessage('close');
    await this.#gone;
  }
}

/** ONNX Runtime, with the folder of its binding found. */
function inPlace(
  engine: EngineChoice | undefined,
  baseDirectory: string,
): OnnxRuntimeChoice | undefined {
  if (engine?.name !== 'onnxruntime') return undefined;
  const { binding } = engine;
  return binding === undefined
    ? engine
    : { ...engine, binding: resolvePath(baseDirectory, binding) };
}
