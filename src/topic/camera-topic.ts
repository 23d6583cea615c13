import { cameraPlaceholder } from '../core/camera-placeholder.ts';

/**
 * The topic of one camera of a run of several: its name in place of `{camera}`, or behind the topic. A
 * run of one source has no such name.
 */
export function cameraTopic(topic: string, camera: string | undefined): string {
  if (camera === undefined) return topic;
  return topic.includes(cameraPlaceholder)
    ? topic.replaceAll(cameraPlaceholder, camera)
    : `${topic}/${camera}`;
}
