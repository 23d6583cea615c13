import type { Intrinsics } from '../core/frame.ts';
import { makeCamera, rightEye, viewIntrinsics } from './camera.ts';
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
  readonly stereo?: StereoSettings | undefined;
}

export interface StereoSettings {
  /** Metres between the lenses: from, to. Each room has its own. */
  readonly baseline: readonly [number, number];
  /**
   * How far the two cameras differ, 0 to 1: at 1, gain by up to 20 %, white balance by up to 6 %, and the
   * right picture is up to half a pixel too high or low. Each room has its own.
   */
  readonly mismatch: number;
}

/** What the right eye of a pair sees. */
export interface RightShot {
  /** RGB bytes, `height × width × 3`. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  /** Metres. */
  readonly baseline: number;
}

/** A frame of the film: what is seen, and how far away it is. */
export interface Shot {
  /** RGB bytes, `height × width × 3`. */
  readonly rgb: Uint8Array<ArrayBuffer>;
  /** Metres along the optical axis, `height × width`. */
  readonly depth: Float32Array<ArrayBuffer>;
  readonly intrinsics: Intrinsics;
  /** Of a pair. */
  readonly right?: RightShot;
}

interface Take {
  readonly room: number;
  readonly scene: Scene;
  readonly path: Path;
  readonly exposure: Exposure;
  readonly fieldOfView: number;
  readonly pair?: Pair | undefined;
}

/** How the right eye of a room's pairs differs from the left. */
interface Pair {
  readonly baseline: number;
  readonly exposure: Exposure;
  /** Pixels that the right picture is too low. */
  readonly lower: number;
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
    const shot = { rgb, depth: rendering.depth, intrinsics };
    if (!take.pair) return shot;
    const { baseline, exposure, lower } = take.pair;
    const eye = rightEye(camera, baseline);
    const moved = { ...eye, intrinsics: { ...intrinsics, cy: intrinsics.cy + lower } };
    const seen = renderFrame(take.scene, moved, this.#settings);
    // Both eyes are exposed by the light of the left one, as a synchronized pair of cameras is.
    const right = develop(seen, exposure, mixSeed(seed, 5, index), rendering.light);
    return { ...shot, right: { rgb: right, baseline } };
  }

  #enter(room: number): Take {
    const { seed, motion, noise, fieldOfView, stereo } = this.#settings;
    const scene = makeRoom(mixSeed(seed, 1, room));
    const random = new Random(mixSeed(seed, 2, room));
    const angle = random.range(...fieldOfView);
    const exposure = {
      key: 0.24 * (1 + noise * random.range(-0.7, 0.7)),
      red: 1 + noise * random.range(-0.3, 0.3),
      blue: 1 + noise * random.range(-0.3, 0.3),
      noise,
      vignette: noise * random.range(0, 1),
    };
    return {
      room,
      scene,
      path: makePath(scene, motion, mixSeed(seed, 4, room)),
      fieldOfView: angle,
      exposure,
      pair: stereo && makePair(stereo, exposure, new Random(mixSeed(seed, 6, room))),
    };
  }
}

function makePair(
  { baseline, mismatch }: StereoSettings,
  { key, red, blue, ...same }: Exposure,
  random: Random,
): Pair {
  return {
    baseline: random.range(...baseline),
    exposure: {
      ...same,
      key: key * (1 + mismatch * random.range(-0.2, 0.2)),
      red: red * (1 + mismatch * random.range(-0.06, 0.06)),
      blue: blue * (1 + mismatch * random.range(-0.06, 0.06)),
    },
    lower: mismatch * random.range(-0.5, 0.5),
  };
}
