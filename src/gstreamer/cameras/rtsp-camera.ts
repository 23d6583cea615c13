import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryPoint } from '../../core/entry-point.ts';
import { DepthlineError } from '../../core/errors.ts';
import { noteSecrets } from '../../core/secrets.ts';
import type { Failure } from '../failure.ts';
import { explainFailure } from '../failures.ts';
import { quote } from '../launch-line.ts';
import type { Camera } from './camera.ts';

const withinMs = 15_000;

type Found = { readonly caps: Readonly<Record<string, unknown>> } | { readonly failure: Failure };

/**
 * The stream that a network camera sends, by the caps of its first picture.
 *
 * @throws DepthlineError `SOURCE` if none arrives
 */
export async function rtspCamera(url: string): Promise<Camera> {
  noteSecrets(url);
  const line =
    `rtspsrc location=${quote(url)} ! application/x-rtp,media=video ! parsebin ` +
    '! fakesink name=stream enable-last-sample=true sync=false';
  const found = await run(line);
  if ('failure' in found) {
    throw new DepthlineError('SOURCE', explainFailure(`RTSP stream ${url}`, found.failure));
  }
  const { name, width, height, framerate } = found.caps;
  const mode = {
    format: String(name).replace(/^(video|image)\/(x-)?/, ''),
    width: Number(width),
    height: Number(height),
    fps: rates(framerate),
  };
  return { source: 'rtsp', which: url, modes: [mode] };
}

/** A fraction as the binding gives it: a number or its text. */
function rates(framerate: unknown): number[] {
  const [top, bottom = 1] = String(framerate ?? '')
    .split('/')
    .map(Number);
  const fps = top === undefined ? 0 : top / bottom;
  return Number.isFinite(fps) && fps > 0 ? [Number(fps.toFixed(3))] : [];
}

function run(line: string): Promise<Found> {
  const host = fileURLToPath(entryPoint('gstreamer/cameras/stream-host'));
  const options = { timeout: withinMs, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [host], options, (_, stdout) => {
      const json = stdout.split('\n').findLast((text) => text.startsWith('{'));
      const message = `no picture within ${withinMs / 1000} s`;
      resolve(json ? (JSON.parse(json) as Found) : { failure: { phase: 'run', message } });
    });
    // A process that could not start closes its stdin; its exit is what counts.
    child.stdin?.on('error', () => {});
    child.stdin?.end(line);
  });
}
