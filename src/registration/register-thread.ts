import { entryPoint } from '../core/entry-point.ts';
import { JobThread, room } from '../core/job-thread.ts';
import type { Request, Response } from './protocol.ts';
import type { Job } from './upsample.ts';

/** Depth on the pixels of a picture. */
export interface Registered {
  /** float32 metres, `height × width` of the target; 0 is invalid. */
  readonly data: Float32Array;
  /** Time in the worker, milliseconds. */
  readonly ms: number;
}

/** A thread that places depth on pictures, one job after the other. */
export class RegisterThread {
  readonly #thread = new JobThread<Request, Response>(
    entryPoint('registration/worker'),
    'registration',
  );
  #depth = new SharedArrayBuffer(0);
  #pixels = new SharedArrayBuffer(0);
  #out = new SharedArrayBuffer(0);

  /** Rejects with a DepthlineError `OPERATOR` if the thread has ended. */
  run({ depth, target, picture, method }: Job): Promise<Registered> {
    return this.#thread.run(async (send) => {
      const count = target.size.width * target.size.height;
      this.#depth = room(this.#depth, depth.data.byteLength);
      this.#pixels = room(this.#pixels, picture?.data.byteLength ?? 0);
      this.#out = room(this.#out, count * Float32Array.BYTES_PER_ELEMENT);
      new Float32Array(this.#depth).set(depth.data);
      if (picture) new Uint8Array(this.#pixels).set(picture.data);
      const { ms } = await send({
        depth: this.#depth,
        placed: { size: depth.size, view: depth.view },
        target,
        pixels: picture && this.#pixels,
        format: picture?.format ?? 'rgb',
        method,
        out: this.#out,
      });
      return { data: new Float32Array(new Float32Array(this.#out, 0, count)), ms };
    });
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}
