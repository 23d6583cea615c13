import { execFileSync } from 'node:child_process';

export interface VideoOptions {
  frames?: number;
  width?: number;
  height?: number;
  fps?: number;
  pattern?: string;
  /** Elements between the picture and the file. */
  encode?: string;
}

/** Writes a small video with GStreamer's test pattern. */
export function makeVideo(path: string, options: VideoOptions = {}): void {
  const { frames = 30, width = 64, height = 48, fps = 30, pattern = 'ball' } = options;
  const caps = `video/x-raw,width=${width},height=${height},framerate=${fps}/1`;
  const encode = options.encode ?? 'jpegenc ! matroskamux';
  const line = `videotestsrc pattern=${pattern} num-buffers=${frames} ! ${caps} ! videoconvert ! ${encode} ! filesink`;
  execFileSync('gst-launch-1.0', ['-q', ...line.split(' '), `location=${path}`]);
}
