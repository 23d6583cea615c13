import { Command, InvalidArgumentError } from 'commander';
import type { Camera } from '../gstreamer/cameras/camera.ts';
import { localCameras } from '../gstreamer/cameras/local-cameras.ts';
import { rtspCamera } from '../gstreamer/cameras/rtsp-camera.ts';
import { cameraAdvice } from '../gstreamer/failures.ts';
import { rtsp } from '../sources/rtsp.ts';
import { cameraText, modesText } from './camera-text.ts';
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
      const cameras = urls.length > 0 ? await network(urls) : await localCameras();
      if (json) return printJson(cameras, 2);
      if (cameras.length === 0) printError(`no camera found; ${cameraAdvice()}`);
      for (const camera of cameras) print(text(camera));
    });
}

async function network(urls: readonly string[]): Promise<Camera[]> {
  return Promise.all(urls.map(rtspCamera));
}

function address(url: string, before: readonly string[] = []): string[] {
  const checked = rtsp.options.safeParse({ url });
  if (checked.success) return [...before, url];
  throw new InvalidArgumentError(`It ${checked.error.issues[0]?.message}.`);
}

function text(camera: Camera): string {
  const head = camera.name ? `${cameraText(camera)}  ${camera.name}` : cameraText(camera);
  return [head, ...modesText(camera).map((line) => `  ${line}`)].join('\n');
}
