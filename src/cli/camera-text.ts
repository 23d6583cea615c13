import type { Camera, CameraMode } from '../gstreamer/cameras/camera.ts';

const chosenBy = { 'csi-camera': 'sensor', 'usb-camera': 'device', rtsp: 'url' } as const;

/** A camera as the source of a pipeline: `csi-camera: { sensor: 0 }`. */
export function cameraText({ source, which }: Camera): string {
  return `${source}: { ${chosenBy[source]}: ${which} }`;
}

/** The modes of a camera, one a line, or why they are not known. */
export function modesText({ modes, problem }: Camera): string[] {
  return [...modes.map(modeText), ...(problem ? [problem] : [])];
}

function modeText({ mode, format, width, height, fps }: CameraMode): string {
  const label = mode === undefined ? (format ?? '') : `mode ${mode}`;
  const rates = fps.length > 0 ? `${fps.join(', ')} fps` : 'no fixed rate';
  return `${label.padEnd(8)}  ${`${width}×${height}`.padEnd(10)}  ${rates}`;
}
