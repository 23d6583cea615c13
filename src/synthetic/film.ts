import type { Intrinsics } from '../core/frame.ts';
import { makeCamera, viewIntrinsics } from './camera.ts';
import { develop, type Exposure } from './develop.ts';
import { type Motion, makePath, type Path } from './motion.ts';
import { mixSeed, Random } from './random.ts';
import { renderFrame } from './renderer.ts';
import { makeRoom } from './room.ts';
import type { Scene } from './scene.ts';

export interface FilmSettings {
  readonly seed: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Width over height of the view; pixels are not square if the picture's differs. */
  readonly aspect: number;
  readonly fps: number;
  /** Frames after which another room comes. */
  readonly framesPerRoom?: number | undefined;
  readonly motion: Motion;
  /** Horizontal field of view, degrees: from, to. Each room has its own. */
  readonly fieldOfView: readonly [number, number];
  /** 0 to 1. */
  readonly noise: number;
}

/** A frame of the film: what is seen, and how far away it is. */
export interface Shot {
  /** RGB bytes, `height × width × 3`. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  /** Metres along the optical axis, `height × width`. */
  readonly depth: Float32Array<ArrayBuffer>;
  readonly intrinsics: Intrinsics;
}

interface Take {
  readonly room: number;
  readonly scene: Scene;
  readonly path: Path;
  readonly exposure: Exposure;
  readonly fieldOfView: number;
}

/** The frames of a synthetic film, each made from the settings and its number alone. */
export class Film {
  readonly #settings: FilmSettings;
  #take: Take | undefined;

  constructor(settings: FilmSettings) {
    this.#settings = settings;
  }

  shoot(index: number): Shot {
    const { framesPerRoom, fps, seed, aspect } = this.#settings;
    const room = framesPerRoom ? Math.floor(index / framesPerRoom) : 0;
    if (this.#take?.room !== room) this.#take = this.#enter(room);
    const take = this.#take;
    const frame = framesPerRoom ? index % framesPerRoom : index;
    const intrinsics = viewIntrinsics(take.fieldOfView, aspect, this.#settings);
    const camera = makeCamera(take.path(frame / fps, frame), intrinsics);
    const rendering = renderFrame(take.scene, camera, this.#settings);
    const rgb = develop(rendering, take.exposure, mixSeed(seed, 3, index));
    return { rgb, depth: rendering.depth, intrinsics };
  }

  #enter(room: number): Take {
    const { seed, motion, noise, fieldOfView } = this.#settings;
    const scene = makeRoom(mixSeed(seed, 1, room));
    const random = new Random(mixSeed(seed, 2, room));
    return {
      room,
      scene,
      path: makePath(scene, motion, mixSeed(seed, 4, room)),
      fieldOfView: random.range(...fieldOfView),
      exposure: {
        key: 0.24 * (1 + noise * random.range(-0.7, 0.7)),
        red: 1 + noise * random.range(-0.3, 0.3),
        blue: 1 + noise * random.range(-0.3, 0.3),
        noise,
        vignette: noise * random.range(0, 1),
      },
    };
  }
}
