import { Command, InvalidArgumentError } from 'commander';
import { argusCameras } from '../gstreamer/cameras/argus-cameras.ts';
import type { Camera, CameraMode } from '../gstreamer/cameras/camera.ts';
import { rtspCamera } from '../gstreamer/cameras/rtsp-camera.ts';
import { v4l2Cameras } from '../gstreamer/cameras/v4l2-cameras.ts';
import { cameraAdvice } from '../gstreamer/failures.ts';
import { rtsp } from '../sources/rtsp.ts';
import { print, printError, printJson } from './output.ts';

export function camerasCommand(): Command {
  return new Command('cameras')
    .description(
      'list the cameras of this machine, or a network camera, with their modes and rates',
    )
    .argument(
      '[url...]',
      'addresses of network cameras: rtsp://user:password@host:port/path',
      address,
    )
    .option('--json', 'print as JSON')
    .action(async (urls: string[], { json }: { json?: true }) => {
      const cameras = urls.length > 0 ? await network(urls) : await local();
      if (json) return printJson(cameras, 2);
      if (cameras.length === 0) printError(`no camera found; ${cameraAdvice()}`);
      for (const camera of cameras) print(text(camera));
    });
}

async function local(): Promise<Camera[]> {
  return [...(await argusCameras()), ...(await v4l2Cameras())];
}

async function network(urls: readonly string[]): Promise<Camera[]> {
  return Promise.all(urls.map(rtspCamera));
}

function address(url: string, before: readonly string[] = []): string[] {
  const checked = rtsp.options.safeParse({ url });
  if (checked.success) return [...before, url];
  throw new InvalidArgumentError(`It ${checked.error.issues[0]?.message}.`);
}

const chosenBy = { 'csi-camera': 'sensor', 'usb-camera': 'device', rtsp: 'url' } as const;

function text({ source, which, name, modes, problem }: Camera): string {
  const head = `${source}: { ${chosenBy[source]}: ${which} }${name ? `  ${name}` : ''}`;
  return [head, ...modes.map(modeText), ...(problem ? [`  ${problem}`] : [])].join('\n');
}

function modeText({ mode, format, width, height, fps }: CameraMode): string {
  const label = mode === undefined ? (format ?? '') : `mode ${mode}`;
  const rates = fps.length > 0 ? `${fps.join(', ')} fps` : 'no fixed rate';
  return `  ${label.padEnd(8)}  ${`${width}×${height}`.padEnd(10)}  ${rates}`;
}
