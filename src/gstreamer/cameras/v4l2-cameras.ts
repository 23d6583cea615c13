import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { videoDevices } from '../failures.ts';
import type { Camera, CameraMode } from './camera.ts';
import { outputOf } from './tool.ts';

/** The modes in what `v4l2-ctl --list-formats-ext` prints. */
export function v4l2Modes(printed: string): CameraMode[] {
  const modes: (CameraMode & { fps: number[] })[] = [];
  let format = '';
  for (const line of printed.split('\n')) {
    const four =
      /^\s*\[\d+\]: '(\w+)\s*'/.exec(line) ?? /^\s*Pixel Format\s*: '(\w+)\s*'/.exec(line);
    if (four) format = four[1] as string;
    const size = /Size: \w+ (\d+)x(\d+)(?: - (\d+)x(\d+))?/.exec(line);
    // Of a range of sizes, the largest.
    if (size) {
      const [, width, height, mostWidth = width, mostHeight = height] = size;
      modes.push({ format, width: Number(mostWidth), height: Number(mostHeight), fps: [] });
    }
    const rate = /Interval: .*\((?:[\d.]+-)?([\d.]+) fps\)/.exec(line);
    if (rate) modes.at(-1)?.fps.push(Number(rate[1]));
  }
  for (const { fps } of modes) fps.sort((a, b) => b - a);
  return modes;
}

/** The devices of Video4Linux that deliver pictures. */
export async function v4l2Cameras(): Promise<Camera[]> {
  const all = await Promise.all(videoDevices().map(v4l2Camera));
  return all.filter((camera) => camera !== undefined);
}

async function v4l2Camera(device: string): Promise<Camera | undefined> {
  const { found, stdout, stderr } = await outputOf('v4l2-ctl', [
    '--device',
    device,
    '--list-formats-ext',
  ]);
  const modes = v4l2Modes(stdout);
  // A camera has a second device, for metadata, without any format.
  if (found && modes.length === 0 && stderr.trim() === '') return undefined;
  const problem = found
    ? stderr.trim().split('\n').at(-1) || 'v4l2-ctl listed no modes'
    : 'v4l2-ctl lists its modes: install it with sudo apt-get install v4l-utils';
  const name = deviceName(device);
  return {
    source: 'usb-camera',
    which: device,
    ...(name !== undefined && { name }),
    modes,
    ...(modes.length === 0 && { problem }),
  };
}

/** What the driver calls a device. */
function deviceName(device: string): string | undefined {
  try {
    return readFileSync(`/sys/class/video4linux/${basename(device)}/name`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
