import { argusCameras } from './argus-cameras.ts';
import type { Camera } from './camera.ts';
import { v4l2Cameras } from './v4l2-cameras.ts';

/** The cameras of this machine with their modes; those of Argus are opened for that. */
export async function localCameras(): Promise<Camera[]> {
  return [...(await argusCameras()), ...(await v4l2Cameras())];
}
