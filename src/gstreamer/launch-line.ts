import { DepthlineError } from '../core/errors.ts';
import { type CropRegion, changesSize, type Engine, type Fusion } from '../core/fusion.ts';
import { centreRectangle, type Size } from '../core/size.ts';
import { streamFd } from './child-process.ts';
import { fraction } from './fraction.ts';

/** The beginning of a launch line: everything up to raw pictures. */
export interface Head {
  readonly line: string;
  /**
   * Where the pictures are: `nvmm` is a Jetson's video memory, `decoded` wherever this machine's
   * decoders leave them.
   */
  readonly memory?: 'system' | 'nvmm' | 'decoded';
  /** The stream may carry a rotation tag. */
  readonly tagged?: boolean;
  /** Size of the pictures, when it is certain. */
  readonly size?: Size;
}

export interface Tail {
  /** Keep only the newest picture that was not read yet, as a camera needs. */
  readonly live: boolean;
  /** Let pictures through at the times that their PTS say. */
  readonly paced?: boolean;
  /** Pace from this PTS on; what comes before passes at once. Nanoseconds. */
  readonly pacedFrom?: bigint;
  /** What the frames must be, in place of RGB pictures; nothing is converted to it. */
  readonly caps?: string;
}

/** The filter that demands what frames must be, where they are not pictures. */
export const capsName = 'depthline-caps';

/** The sink that shows how large the source's picture is, where that is not known before. */
export const pictureName = 'depthline-picture';

type Resize = Extract<Fusion, { do: 'resize' }>;
type Axis = Extract<Fusion, { do: 'flip' }>['axis'];

/** Engines that can pad a picture whose size is unknown in advance. */
const canLetterbox: readonly Engine[] = ['cuda', 'va', 'cpu'];

/**
 * The complete launch line of a source: its head, the fused operators, conversion to packed RGB,
 * and the sink. All elements of the `cpu` and `nvvidconv` paths are in GStreamer 1.14.
 *
 * @param available engines of this machine, best first
 * @param nvScaler nvvidconv with the settings by which it scales
 * @throws DepthlineError `MISSING` or `CONFIG` if an engine that was named cannot do it
 */
export function launchLine(
  head: Head,
  fusions: readonly Fusion[],
  tail: Tail,
  available: readonly Engine[],
  nvScaler = 'nvvidconv',
): string {
  const jetson = available.includes('nvvidconv');
  const chain = new Chain(head, nvScaler);
  if (head.memory === 'decoded' && jetson) chain.download();
  if (head.tagged) chain.orient();
  if (!head.size && changesSize(fusions)) chain.measure();
  for (const fusion of fusions) {
    if (fusion.do === 'crop') chain.crop(fusion.region);
    if (fusion.do === 'flip') chain.flip(fusion.axis);
    if (fusion.do === 'resize') chain.resize(fusion, chooseEngine(fusion, available));
  }
  return chain.finish(tail);
}

/** The engine that carries out a resize: the one it names, else the best that can. */
export function chooseEngine(resize: Resize, available: readonly Engine[]): Engine {
  const able = (engine: Engine) => resize.fit !== 'letterbox' || canLetterbox.includes(engine);
  if (resize.on === 'auto') return available.find(able) ?? 'cpu';
  if (!available.includes(resize.on)) throw new DepthlineError('MISSING', absent[resize.on]);
  if (able(resize.on)) return resize.on;
  throw new DepthlineError(
    'CONFIG',
    `resize cannot letterbox on ${resize.on}: use "on: cpu" or "fit: crop"`,
  );
}

const absent: Readonly<Record<Engine, string>> = {
  nvvidconv: 'resize on nvvidconv needs a Jetson with JetPack: use "on: auto" or "on: cpu"',
  cuda:
    'resize on cuda needs an NVIDIA GPU with its driver and GStreamer 1.20 or newer with the nvcodec ' +
    'plug-in (gstreamer1.0-plugins-bad): use "on: auto" or "on: cpu"',
  va:
    'resize on va needs a GPU with a VA-API driver and GStreamer 1.20 or newer with the va plug-in ' +
    '(gstreamer1.0-plugins-bad, intel-media-va-driver or mesa-va-drivers): use "on: auto" or "on: cpu"',
  gl: 'resize on gl needs a display or render device and gstreamer1.0-gl: use "on: auto" or "on: cpu"',
  cpu: 'resize on cpu needs gstreamer1.0-plugins-base',
};

/** videoflip's video-direction; its older `method` has no effect in GStreamer 1.22.0. */
const directions: Readonly<Record<Axis, string>> = {
  horizontal: 'horiz',
  vertical: 'vert',
  both: '180',
};

/** nvvidconv's numbers for the same. */
const nvFlip: Readonly<Record<Axis, number>> = { horizontal: 4, vertical: 6, both: 2 };

/** A Jetson's video memory. */
const nvmm = 'video/x-raw(memory:NVMM)';

/** Video formats with subsampled colour need even sides. */
const evenPixels = 2;

class Chain {
  readonly #parts: string[];
  readonly #nvScaler: string;
  #memory: 'system' | 'nvmm';
  #size: Size | undefined;
  #beside = '';

  constructor(head: Head, nvScaler: string) {
    this.#nvScaler = nvScaler;
    this.#parts = [head.line];
    this.#memory = head.memory === 'nvmm' ? 'nvmm' : 'system';
    this.#size = head.size;
  }

  /** Fetches pictures from a Jetson's decoder. */
  download() {
    this.#add('nvvidconv', `video/x-raw${this.#sized()}`);
  }

  /** Turns the picture as its rotation tag says. */
  orient() {
    this.#add('videoconvert', 'videoflip video-direction=auto');
  }

  /** Lets the size of the picture be read here, from the last sample of a sink beside the chain. */
  measure() {
    this.#add('tee name=depthline-tee');
    // Behind the chain, whose own sink must get the first picture first: the pipeline waits for it.
    this.#beside = ` depthline-tee. ! fakesink name=${pictureName} enable-last-sample=true sync=false async=false`;
  }

  crop(region: CropRegion) {
    if ('aspect' in region) return this.#cropToAspect(region.aspect);
    const { left, top, width, height } = region;
    if (this.#memory === 'nvmm') {
      this.#nvCrop(left, top, width, height);
    } else {
      // -1 leaves that side to the caps behind it, so the picture's size need not be known.
      this.#add('videoconvert', `videocrop left=${left} right=-1 top=${top} bottom=-1`);
      this.#add(`video/x-raw,width=${width},height=${height}`);
    }
    this.#size = { width, height };
  }

  flip(axis: Axis) {
    if (this.#memory === 'nvmm') {
      this.#add(`nvvidconv flip-method=${nvFlip[axis]}`, `${nvmm}${this.#sized()}`);
    } else {
      this.#add('videoconvert', `videoflip video-direction=${directions[axis]}`);
    }
  }

  resize(resize: Resize, engine: Engine) {
    const { width, height, fit, view } = resize;
    const aspect = view ?? (fit === 'crop' ? width / height : undefined);
    if (aspect !== undefined) this.#cropToAspect(aspect);
    if (engine !== 'nvvidconv') this.#toSystem();
    this.#add(...scalers[engine](width, height, fit === 'letterbox', this.#nvScaler));
    this.#memory = 'system';
    this.#size = { width, height };
  }

  finish({ live, paced, pacedFrom = 0n, caps }: Tail): string {
    this.#toSystem();
    if (caps === undefined) this.#add('videoconvert', 'video/x-raw,format=RGB');
    else this.#add(`capsfilter name=${capsName} caps=${quote(caps)}`);
    const offset = pacedFrom > 0n ? ` ts-offset=${-pacedFrom}` : '';
    if (paced) this.#add(`identity sync=true${offset}`);
    // A thread of its own writes to the socket: reading wakes it on the reader's processor, where what decodes
    // pictures would be in the way. Of a live source, a newer picture replaces the one that waits.
    const leaky = live ? ' leaky=downstream' : '';
    this.#add(`queue${leaky} max-size-buffers=1 max-size-bytes=0 max-size-time=0`);
    this.#add('gdppay', `fdsink fd=${streamFd} sync=false enable-last-sample=false`);
    return this.#parts.join(' ! ') + this.#beside;
  }

  #add(...parts: string[]) {
    this.#parts.push(...parts);
  }

  #toSystem() {
    if (this.#memory === 'nvmm') this.#add('nvvidconv', `video/x-raw,format=RGBA${this.#sized()}`);
    this.#memory = 'system';
  }

  #cropToAspect(aspect: number) {
    const size = this.#size;
    if (this.#memory === 'nvmm' && size) {
      const { left, top, width, height } = centreRectangle(size, aspect, evenPixels);
      if (width === size.width && height === size.height) return;
      this.#nvCrop(left, top, width, height);
      this.#size = { width, height };
      return;
    }
    this.#toSystem();
    this.#add(`aspectratiocrop aspect-ratio=${fraction(aspect)}`);
    this.#size = size && centreRectangle(size, aspect, evenPixels);
  }

  /** nvvidconv takes the corners of what is kept, not the widths of what is cut. */
  #nvCrop(left: number, top: number, width: number, height: number) {
    const corners = `left=${left} right=${left + width} top=${top} bottom=${top + height}`;
    this.#add(`nvvidconv ${corners}`, `${nvmm},width=${width},height=${height}`);
  }

  /** Behind each nvvidconv: it would keep the size from before a crop, and scale the part up to that. */
  #sized(): string {
    return this.#size ? `,width=${this.#size.width},height=${this.#size.height}` : '';
  }
}

type Scaler = (width: number, height: number, letterbox: boolean, nvScaler?: string) => string[];

/** From system memory (nvvidconv: from either) to a picture of the size wanted in system memory. */
export const scalers: Readonly<Record<Engine, Scaler>> = {
  nvvidconv: (w, h, _, nvScaler = 'nvvidconv') => [
    nvScaler,
    `video/x-raw,format=RGBA,width=${w},height=${h}`,
  ],
  cuda: (w, h, letterbox) => [
    'videoconvert',
    'cudaupload',
    `cudaconvertscale add-borders=${letterbox}`,
    `video/x-raw(memory:CUDAMemory),format=RGBA,width=${w},height=${h}${squareIf(letterbox)}`,
    'cudadownload',
  ],
  va: (w, h, letterbox) => [
    'videoconvert',
    `vapostproc add-borders=${letterbox}`,
    `video/x-raw,width=${w},height=${h}${squareIf(letterbox)}`,
  ],
  gl: (w, h) => [
    'glupload',
    'glcolorconvert',
    'glcolorscale',
    `video/x-raw(memory:GLMemory),format=RGBA,width=${w},height=${h}`,
    'gldownload',
  ],
  // Several taps: two would leave out most pixels of a camera's picture, which aliases.
  cpu: (w, h, letterbox) => [
    `videoscale method=bilinear2 add-borders=${letterbox}`,
    `video/x-raw,width=${w},height=${h}${squareIf(letterbox)}`,
  ],
};

/** Without square pixels asked for, a scaler changes their shape rather than pad the picture. */
function squareIf(letterbox: boolean): string {
  return letterbox ? ',pixel-aspect-ratio=1/1' : '';
}

/**
 * A string as one property value. Within quotes gst-parse takes everything literally but the
 * backslash and the quote, so no value can end the property and add elements.
 */
export function quote(value: string): string {
  if (value.includes('\0')) {
    throw new DepthlineError('CONFIG', 'a value for GStreamer must not contain NUL bytes');
  }
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}
