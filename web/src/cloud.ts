import {
  BufferGeometry,
  Color,
  DataTexture,
  GLSL3,
  LinearSRGBColorSpace,
  LineBasicMaterial,
  LineSegments,
  NearestFilter,
  PerspectiveCamera,
  Points,
  RedIntegerFormat,
  RGBAFormat,
  Scene,
  ShaderMaterial,
  Texture,
  UnsignedByteType,
  UnsignedShortType,
  Vector2,
  Vector3,
  Vector4,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import type { Intrinsics } from '../../src/core/frame.ts';
import type { ColormapName } from '../../src/depth/colormap.ts';
import { fragmentShader, vertexShader } from './cloud-shaders.ts';
import type { Depth } from './decoder.ts';
import { type Range, rgbaPalette } from './paint.ts';

/** What the cloud is drawn from. */
export interface CloudFrame {
  readonly depth: Depth;
  readonly intrinsics: Intrinsics;
  /** Its colours; without it, the points have the colours of their depth. */
  readonly picture: ImageBitmap | undefined;
  readonly colors: ColormapName;
  readonly range: Range;
}

/** Angle of one press of an arrow key, radians. */
const turn = Math.PI / 36;
const zoom = 1.1;
/** Depth of the pyramid that marks the camera, metres. */
const markerLength = 0.15;

/**
 * Depth as points in space, drawn on the graphics processor from the same steps that the distances
 * are read from. Nothing is drawn unless a frame or the view changes.
 *
 * @throws Error if the browser has no WebGL 2
 */
export class CloudView {
  readonly #panel: HTMLElement;
  readonly #renderer: WebGLRenderer;
  readonly #scene = new Scene();
  readonly #camera = new PerspectiveCamera(50, 1, 0.01, 1000);
  readonly #controls: OrbitControls;
  readonly #material = cloudMaterial();
  readonly #cloud = new Points(new BufferGeometry(), this.#material);
  readonly #marker = new LineSegments(
    new BufferGeometry(),
    new LineBasicMaterial({ color: 0x9aa4b1 }),
  );
  readonly #resize: ResizeObserver;
  #steps: DataTexture | undefined;
  #picture: Texture | undefined;
  #drawing = 0;
  #placed = false;
  #distance = 1;

  constructor(panel: HTMLElement, background: string) {
    this.#panel = panel;
    this.#renderer = new WebGLRenderer({ antialias: false, powerPreference: 'low-power' });
    // Colours come out as they are sent, like those of the other panels.
    this.#renderer.outputColorSpace = LinearSRGBColorSpace;
    this.#renderer.setPixelRatio(Math.min(2, devicePixelRatio));
    this.background = background;
    panel.append(this.#renderer.domElement);
    // Vertices are numbered pixels, so three knows of no extent.
    this.#cloud.frustumCulled = false;
    this.#marker.frustumCulled = false;
    this.#scene.add(this.#cloud, this.#marker);
    this.#controls = new OrbitControls(this.#camera, this.#renderer.domElement);
    this.#controls.addEventListener('change', () => this.draw());
    panel.addEventListener('keydown', this.#key);
    this.#resize = new ResizeObserver(() => this.#fit());
    this.#resize.observe(panel);
    this.#fit();
  }

  set background(color: string) {
    this.#scene.background = new Color().setStyle(color, LinearSRGBColorSpace);
    this.draw();
  }

  show(frame: CloudFrame): void {
    const { depth, intrinsics, range } = frame;
    const { uniforms } = this.#material;
    this.#upload(frame);
    uniforms.size?.value.set(depth.width, depth.height);
    uniforms.unit!.value = depth.step;
    uniforms.camera?.value.set(intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy);
    uniforms.range?.value.set(range.min, Math.max(range.max, range.min + 1e-6));
    const palette = uniforms.palette?.value as DataTexture;
    if (palette.name !== frame.colors) {
      palette.name = frame.colors;
      palette.image.data = rgbaPalette(frame.colors);
      palette.needsUpdate = true;
    }
    this.#cloud.geometry.setDrawRange(0, depth.width * depth.height);
    this.#mark(depth, intrinsics);
    if (!this.#placed) this.place(range);
    this.draw();
  }

  /** Looks at the cloud from behind the camera, a little to its right and above. */
  place({ min, max }: Range): void {
    this.#placed = true;
    const middle = (min + max) / 2;
    this.#distance = middle * 1.35;
    this.#controls.target.set(0, 0, -middle);
    this.#camera.position
      .set(0.3, 0.18, 0.95)
      .normalize()
      .multiplyScalar(this.#distance)
      .add(this.#controls.target);
    this.#controls.update();
    this.draw();
  }

  /** Where it is looked at from: degrees around, degrees above, distance in metres. */
  get viewpoint(): { readonly around: number; readonly above: number; readonly distance: number } {
    return {
      around: (this.#controls.getAzimuthalAngle() * 180) / Math.PI,
      above: 90 - (this.#controls.getPolarAngle() * 180) / Math.PI,
      distance: this.#controls.getDistance(),
    };
  }

  /** Draws once with the browser's next picture, however often it is asked for. */
  draw(): void {
    if (this.#drawing !== 0) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#renderer.render(this.#scene, this.#camera);
    });
  }

  close(): void {
    cancelAnimationFrame(this.#drawing);
    this.#resize.disconnect();
    this.#panel.removeEventListener('keydown', this.#key);
    this.#controls.dispose();
    this.#steps?.dispose();
    this.#picture?.dispose();
    this.#material.dispose();
    this.#renderer.dispose();
    this.#renderer.domElement.remove();
  }

  #upload({ depth, picture }: CloudFrame): void {
    const { width, height, steps } = depth;
    const { uniforms } = this.#material;
    // The memory of a texture has a fixed size.
    if (this.#steps?.image.width !== width || this.#steps.image.height !== height) {
      this.#steps?.dispose();
      this.#steps = new DataTexture(steps, width, height, RedIntegerFormat, UnsignedShortType);
      this.#steps.internalFormat = 'R16UI';
      this.#steps.unpackAlignment = 2;
    }
    this.#steps.image.data = steps;
    this.#steps.needsUpdate = true;
    uniforms.steps!.value = this.#steps;
    uniforms.pictured!.value = picture !== undefined;
    if (!picture) return;
    const last = this.#picture?.image as ImageBitmap | undefined;
    if (!this.#picture || last?.width !== picture.width || last.height !== picture.height) {
      this.#picture?.dispose();
      this.#picture = new Texture(picture);
      this.#picture.flipY = false;
      this.#picture.generateMipmaps = false;
      this.#picture.minFilter = this.#picture.magFilter = NearestFilter;
    }
    this.#picture.image = picture;
    this.#picture.needsUpdate = true;
    uniforms.picture!.value = this.#picture;
    // Now, because the picture is released with the next frame.
    this.#renderer.initTexture(this.#picture);
  }

  /** The camera as a pyramid: its eye, and what it sees. */
  #mark({ width, height }: Depth, { fx, fy, cx, cy }: Intrinsics): void {
    const at = (u: number, v: number) =>
      new Vector3((u - cx) / fx, -(v - cy) / fy, -1).multiplyScalar(markerLength);
    const corners = [
      at(-0.5, -0.5),
      at(width - 0.5, -0.5),
      at(width - 0.5, height - 0.5),
      at(-0.5, height - 0.5),
    ];
    const eye = new Vector3();
    this.#marker.geometry.setFromPoints(
      corners.flatMap((corner, i) => [eye, corner, corner, corners[(i + 1) % 4] as Vector3]),
    );
  }

  #fit(): void {
    const { clientWidth, clientHeight } = this.#panel;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.#renderer.setSize(clientWidth, clientHeight, false);
    this.#camera.aspect = clientWidth / clientHeight;
    this.#camera.updateProjectionMatrix();
    const ratio = this.#renderer.getPixelRatio();
    // Pixels per unit of tan(angle), for the size of the points.
    const halfHeight = (clientHeight * ratio) / 2;
    this.#material.uniforms.scale!.value =
      halfHeight / Math.tan((this.#camera.fov * Math.PI) / 360);
    this.draw();
  }

  readonly #key = (event: KeyboardEvent): void => {
    const { key } = event;
    if (key === 'ArrowLeft') this.#controls.rotateLeft(turn);
    else if (key === 'ArrowRight') this.#controls.rotateLeft(-turn);
    else if (key === 'ArrowUp') this.#controls.rotateUp(turn);
    else if (key === 'ArrowDown') this.#controls.rotateUp(-turn);
    else if (key === '+' || key === '=') this.#controls.dollyIn(zoom);
    else if (key === '-') this.#controls.dollyOut(zoom);
    else return;
    event.preventDefault();
    this.#controls.update();
  };
}

function cloudMaterial(): ShaderMaterial {
  const palette = new DataTexture(new Uint8Array(4 * 256), 256, 1, RGBAFormat, UnsignedByteType);
  return new ShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: {
      steps: { value: null },
      picture: { value: null },
      palette: { value: palette },
      pictured: { value: false },
      size: { value: new Vector2(1, 1) },
      unit: { value: 0.001 },
      camera: { value: new Vector4(1, 1, 0, 0) },
      range: { value: new Vector2(0, 1) },
      scale: { value: 1 },
    },
  });
}
