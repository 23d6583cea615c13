import type { ImageFrame } from '../../src/core/frame.ts';
import { encodePly } from '../../src/depth/ply.ts';
import { unproject } from '../../src/depth/unproject.ts';
import type { ShownFrame } from './decoder.ts';
import { depthPng } from './depth-png.ts';
import { element } from './element.ts';
import { frameIntrinsics } from './frame-intrinsics.ts';
import { metresOf } from './paint.ts';

export interface SnapshotSource {
  /** The frame on the page. */
  frame(): ShownFrame | undefined;
  /** Its picture. */
  readonly picture: HTMLCanvasElement;
  /** Field of view for frames without intrinsics, degrees. */
  degrees(): number;
}

/** The buttons that save what the page shows. */
export class Snapshots {
  readonly #source: SnapshotSource;
  readonly #buttons = {
    picture: element<HTMLButtonElement>('save-picture'),
    depth: element<HTMLButtonElement>('save-depth'),
    points: element<HTMLButtonElement>('save-points'),
  };

  constructor(source: SnapshotSource) {
    this.#source = source;
    this.#buttons.picture.addEventListener('click', () => this.#savePicture());
    this.#buttons.depth.addEventListener('click', () => void this.#saveDepth());
    this.#buttons.points.addEventListener('click', () => this.#savePoints());
  }

  show({ depth, picture }: Pick<ShownFrame, 'depth' | 'picture'>): void {
    this.#buttons.picture.disabled = !picture;
    this.#buttons.depth.disabled = !depth;
    this.#buttons.points.disabled = !depth || depth.relative;
  }

  #savePicture(): void {
    const seq = this.#source.frame()?.header.seq;
    this.#source.picture.toBlob((blob) => {
      if (blob) save(blob, `picture-${seq}.png`);
    }, 'image/png');
  }

  async #saveDepth(): Promise<void> {
    const frame = this.#source.frame();
    if (frame?.depth) save(await depthPng(frame.depth), `depth-${frame.header.seq}.png`);
  }

  #savePoints(): void {
    const frame = this.#source.frame();
    const depth = frame?.depth;
    const degrees = this.#source.degrees();
    const intrinsics = frame && frameIntrinsics(frame, degrees);
    if (!depth || !intrinsics) return;
    const { width, height } = depth;
    const data = metresOf(depth);
    const image = frame.picture && pixelsOf(this.#source.picture);
    const points = unproject({ width, height, data }, intrinsics, 1, image);
    // A name that tells that the shape follows from an assumption.
    const assumed = frame.header.depth?.intrinsics ? '' : `-fov${degrees}`;
    const ply = encodePly(points) as Uint8Array<ArrayBuffer>;
    save(new Blob([ply]), `points-${frame.header.seq}${assumed}.ply`);
  }
}

function pixelsOf(canvas: HTMLCanvasElement): ImageFrame {
  const { width, height } = canvas;
  const context = canvas.getContext('2d', { alpha: false }) as CanvasRenderingContext2D;
  const { data } = context.getImageData(0, 0, width, height);
  const about = { seq: 0, pts: 0n, capturedAt: 0n, source: 'page' };
  return { ...about, kind: 'image', format: 'rgba', width, height, data: new Uint8Array(data) };
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has its own hold on the data once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
