import { lastPrinted } from '../printed.ts';
import type { Camera, CameraMode } from './camera.ts';
import { outputOf } from './tool.ts';

/** More than a Jetson's connectors take. */
const mostSensors = 16;

const modeLine = /^\s*GST_ARGUS: (\d+) x (\d+) FR = ([\d.]+) fps/gm;

/** The modes of a sensor, which Argus prints when it opens it. */
export function argusModes(printed: string): CameraMode[] {
  return [...printed.matchAll(modeLine)].map(([, width, height, fps], mode) => ({
    mode,
    width: Number(width),
    height: Number(height),
    fps: [Number(Number(fps).toFixed(3))],
  }));
}

/** The CSI cameras of a Jetson, each opened for one picture; nothing elsewhere. */
export async function argusCameras(): Promise<Camera[]> {
  const cameras: Camera[] = [];
  for (let sensor = 0; sensor < mostSensors; sensor++) {
    const { found, stdout, stderr } = await outputOf('gst-launch-1.0', [
      'nvarguscamerasrc',
      `sensor-id=${sensor}`,
      'num-buffers=1',
      '!',
      'fakesink',
    ]);
    if (!found || /no element "nvarguscamerasrc"/.test(stderr)) break;
    if (/No cameras available|Invalid camera device/i.test(stdout)) break;
    const modes = argusModes(stdout);
    const problem = lastPrinted(stdout).trim() || 'Argus listed no modes';
    cameras.push({
      source: 'csi-camera',
      which: sensor,
      modes,
      ...(modes.length === 0 && { problem }),
    });
    if (modes.length === 0) break;
  }
  return cameras;
}
