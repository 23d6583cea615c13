import { entryPoint } from '../core/entry-point.ts';
import type { DepthMap } from '../core/frame.ts';
import { JobThread, room } from '../core/job-thread.ts';
import type { SpatialOptions } from '../depth/spatial-filter.ts';
import type { Request, Response } from './protocol.ts';

/** A thread that smooths depth, one frame after the other. */
export class SpatialThread {
  readonly #thread = new JobThread<Request, Response>(entryPoint('filtering/worker'), 'smoothing');
  #memory = new SharedArrayBuffer(0);

  /** Rejects with a DepthlineError `OPERATOR` if the thread has ended. */
  run(
    { width, height, data }: DepthMap,
    options: SpatialOptions,
  ): Promise<{ readonly data: Float32Array; readonly ms: number }> {
    return this.#thread.run(async (send) => {
      this.#memory = room(this.#memory, data.byteLength);
      const shared = new Float32Array(this.#memory, 0, data.length);
      shared.set(data);
      const { ms } = await send({ depth: this.#memory, width, height, options });
      return { data: new Float32Array(shared), ms };
    });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
