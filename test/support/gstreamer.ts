import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

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
  execFileSync('gst-launch-1.0', ['-q', ...line.split(' '), `location=${path}`], {
    timeout: 60_000,
  });
}

/** Process ids of the capture hosts that `parent` has started. */
export function captureHosts(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [line, status] = [procFile(pid, 'cmdline'), procFile(pid, 'status')];
      const isChild = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(status);
      return line.includes('capture-host') && isChild && !/^State:\s+Z/m.test(status);
    });
}

export function isRunning(pid: number): boolean {
  const status = procFile(pid, 'status');
  return status !== '' && !/^State:\s+Z/m.test(status);
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // The process has gone meanwhile.
    return '';
  }
}

/** Waits until `condition` holds, up to a deadline. */
export async function until(condition: () => boolean, withinMs = 45_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
