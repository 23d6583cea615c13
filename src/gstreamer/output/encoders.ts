import { hasHardware } from '../probe/engines.ts';

export const codecs = ['auto', 'h264', 'vp8', 'mjpeg'] as const;
export type CodecChoice = (typeof codecs)[number];
export type Codec = Exclude<CodecChoice, 'auto'>;
export type Container = 'mkv' | 'mp4';

export interface EncoderSettings {
  /** 1 to 100. */
  readonly quality: number;
  /** kbit/s, in place of a quality. */
  readonly bitrate: number | undefined;
  readonly width: number;
  readonly height: number;
}

export interface Encoder {
  readonly element: string;
  readonly codec: Codec;
  readonly containers: readonly Container[];
  /** Launch line from raw RGB to encoded video for a muxer. */
  line(settings: EncoderSettings): string;
}

// Every player decodes 4:2:0; without these caps the converter would keep 4:4:4.
const toI420 = 'videoconvert ! video/x-raw,format=I420';

// h264parse sets the duration of the last picture; without it mp4mux gives it none.
const h264: Pick<Encoder, 'codec' | 'containers'> = { codec: 'h264', containers: ['mkv', 'mp4'] };

/** Best first. */
const encoders: readonly Encoder[] = [
  {
    ...h264,
    element: 'nvv4l2h264enc',
    line: (s) =>
      `videoconvert ! video/x-raw,format=RGBA ! nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! nvv4l2h264enc bitrate=${bitsPerSecond(s)} ! h264parse`,
  },
  {
    ...h264,
    element: 'x264enc',
    line: (s) =>
      `${toI420} ! x264enc speed-preset=veryfast rc-lookahead=10 bframes=0 key-int-max=60 ${
        s.bitrate === undefined
          ? `pass=qual quantizer=${scale(s.quality, 45, 12)}`
          : `bitrate=${s.bitrate}`
      } ! h264parse`,
  },
  {
    ...h264,
    element: 'openh264enc',
    line: (s) => `${toI420} ! openh264enc bitrate=${bitsPerSecond(s)} ! h264parse`,
  },
  {
    element: 'vp8enc',
    codec: 'vp8',
    containers: ['mkv'],
    line: (s) =>
      `${toI420} ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist=60 ${
        s.bitrate === undefined
          ? `end-usage=cq cq-level=${scale(s.quality, 60, 4)} target-bitrate=20000000`
          : `target-bitrate=${s.bitrate * 1000}`
      }`,
  },
  {
    element: 'jpegenc',
    codec: 'mjpeg',
    containers: ['mkv'],
    line: (s) => `${toI420} ! jpegenc quality=${s.quality}`,
  },
];

/** Encoders to try for a codec in a container, best first. */
export function encodersFor(codec: CodecChoice, container: Container): readonly Encoder[] {
  return encoders.filter(
    (encoder) =>
      (codec === 'auto' || codec === encoder.codec) &&
      encoder.containers.includes(container) &&
      (!encoder.element.startsWith('nv') || hasHardware('nvvidconv')),
  );
}

/** From quality 1 (`worst`) to 100 (`best`). */
function scale(quality: number, worst: number, best: number): number {
  return Math.round(worst + ((best - worst) * (quality - 1)) / 99);
}

/** For encoders without a quality setting: about 0.12 bit per pixel at quality 80 and 30 fps. */
function bitsPerSecond({ quality, bitrate, width, height }: EncoderSettings): number {
  if (bitrate !== undefined) return bitrate * 1000;
  return Math.max(200_000, Math.round(width * height * 30 * 0.12 * (quality / 80)));
}
