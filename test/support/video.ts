import { execFileSync } from 'node:child_process';
import { packRows, rgbForm } from '../../src/stream/form.ts';

export interface DecodedVideo {
  readonly width: number;
  readonly height: number;
  /** Seconds, one per frame. */
  readonly pts: readonly number[];
  /** Where the last frame ends. */
  readonly seconds: number;
  /** The first picture, packed RGB. */
  readonly firstRgb: Uint8Array;
}

/** What another program finds in a video file: every frame is decoded by gst-launch-1.0. */
export function decodeVideo(path: string): DecodedVideo {
  const line = `filesrc location=${path} ! decodebin ! videoconvert ! identity silent=false name=seen ! fakesink sync=false`;
  const out = execFileSync('gst-launch-1.0', ['-v', ...line.split(' ')], {
    encoding: 'utf8',
    maxBuffer: 1e8,
    timeout: 60_000,
  });
  const size = /fakesink0.*video\/x-raw.*width=\(int\)(\d+), height=\(int\)(\d+)/i.exec(out);
  const stamp = /chain .*?\(seen:sink\).*?pts: ([\d:.]+), duration: ([\d:.]+|none)/g;
  const buffers = [...out.matchAll(stamp)].map(([, pts, duration]) => ({
    pts: seconds(pts as string),
    duration: seconds(duration as string),
  }));
  return {
    width: Number(size?.[1]),
    height: Number(size?.[2]),
    pts: buffers.map(({ pts }) => pts),
    seconds: buffers.reduce((end, { pts, duration }) => Math.max(end, pts + duration), 0),
    firstRgb: firstPicture(path, Number(size?.[1]), Number(size?.[2])),
  };
}

function firstPicture(path: string, width: number, height: number): Uint8Array {
  const caps = 'video/x-raw,format=RGB';
  const line = `filesrc location=${path} ! decodebin ! videoconvert ! ${caps} ! fdsink`;
  const rows = execFileSync('gst-launch-1.0', ['-q', ...line.split(' ')], {
    maxBuffer: 1e8,
    timeout: 60_000,
  });
  const packed = new Uint8Array(width * 3 * height);
  packRows(rows, rgbForm.rows({ format: 'RGB', width, height, interval: undefined }), packed);
  return packed;
}

function seconds(text: string): number {
  const [h, m, s] = text.split(':').map(Number) as [number, number, number];
  return h * 3600 + m * 60 + s;
}
