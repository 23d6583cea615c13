import { type LiveHeader, unpackLive } from '../../src/web/live-message.ts';
import type { DecodeRequest, DecodeResponse } from './decode-worker.ts';

/** A frame as the page shows it. */
export interface ShownFrame {
  readonly header: LiveHeader;
  readonly depth: Depth | undefined;
  readonly picture: ImageBitmap | undefined;
}

export interface Depth {
  readonly width: number;
  readonly height: number;
  /** Whole steps as they were sent; 0: not measured. */
  readonly steps: Uint16Array<ArrayBuffer>;
  /** Depth of one step, metres or units of relative depth. */
  readonly step: number;
  readonly relative: boolean;
}

/** Decodes frames: depth in a worker, pictures in the browser's own threads. */
export class Decoder {
  readonly #worker = new Worker(new URL('./decode-worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, (response: DecodeResponse) => void>();
  #id = 0;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<DecodeResponse>) => {
      const settle = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      settle?.(data);
    };
  }

  async decode(message: ArrayBuffer): Promise<ShownFrame> {
    const { header, depth, picture } = unpackLive(message);
    const [steps, bitmap] = await Promise.all([
      depth && header.depth && this.#steps(depth, header.depth),
      picture && createImageBitmap(new Blob([picture], { type: 'image/jpeg' })),
    ]);
    return {
      header,
      picture: bitmap,
      depth:
        steps && header.depth
          ? {
              width: header.depth.width,
              height: header.depth.height,
              steps,
              step: header.depth.step,
              relative: header.depth.unit === 'relative',
            }
          : undefined,
    };
  }

  async #steps(
    bytes: Uint8Array<ArrayBuffer>,
    { width, height }: { readonly width: number; readonly height: number },
  ): Promise<Uint16Array<ArrayBuffer>> {
    const id = this.#id++;
    const response = await new Promise<DecodeResponse>((resolve) => {
      this.#waiting.set(id, resolve);
      const request: DecodeRequest = { id, bytes, width, height };
      this.#worker.postMessage(request);
    });
    if ('problem' in response) throw new Error(response.problem);
    return response.steps;
  }
}
