import type { Intrinsics } from '../core/frame.ts';
import type { Size } from '../core/size.ts';
import { scaleIntrinsics } from '../depth/intrinsics.ts';
import { type CameraInfoMessage, nanosecondsOf, type RosTime } from '../ros/messages.ts';
import { intrinsicsOf, isDistorted, pointsOf } from '../ros/to-frame.ts';
import type { Decoders } from './decoders.ts';
import type { McapFile, ReadMessage } from './mcap-file.ts';
import { readDepth, readPicture } from './message-pixels.ts';
import type { FrameContents, Played, PlayOptions } from './played-frame.ts';

export interface TopicPlayOptions extends PlayOptions {
  readonly topic: string;
  /** Calibrations of the pictures; nothing to read none. */
  readonly infoTopic: string | undefined;
  /** Told once when the lenses of the camera bend its pictures. */
  onDistorted(): void;
}

/** The frames of one topic, whoever recorded it: numbered from 0, timed by their stamps. */
export async function* playTopic(
  file: McapFile,
  decoders: Decoders,
  options: TopicPlayOptions,
): AsyncGenerator<Played, boolean> {
  const { topic, infoTopic, as } = options;
  const messages = file.messages(options);
  let seq = 0;
  let first: bigint | undefined;
  let pts = 0n;
  let calibration: CameraInfoMessage | undefined;
  let distorted = false;
  for (;;) {
    const { value: message, done } = await messages.next();
    if (done) return message;
    if (message.channel.topic === infoTopic) {
      const info = decoders.decode(message, 'sensor_msgs/CameraInfo');
      if (!info) continue;
      calibration = info;
      if (!distorted && isDistorted(info)) options.onDistorted();
      distorted ||= isDistorted(info);
      continue;
    }
    if (message.channel.topic !== topic) continue;
    const time = stampOf(message, decoders);
    first ??= time;
    // Stamps of a recording may go back a little; times of frames do not.
    if (time - first > pts) pts = time - first;
    const known = calibration;
    const contents = () => contentsOf(message, decoders, as, known);
    yield { seq: seq++, pts, dropped: [], contents };
  }
}

/** When the message was made: its stamp, or when it was recorded if it has none. */
function stampOf(message: ReadMessage, decoders: Decoders): bigint {
  try {
    const decoder = decoders.of(message);
    if (!decoder || decoder.type === 'json') return message.logTime;
    const { header } = decoder.decode(message.data) as { header?: { stamp: RosTime } };
    const stamp = header ? nanosecondsOf(header.stamp) : 0n;
    return stamp > 0n ? stamp : message.logTime;
  } catch {
    // That it cannot be read is reported when its contents are.
    return message.logTime;
  }
}

async function contentsOf(
  message: ReadMessage,
  decoders: Decoders,
  as: PlayOptions['as'],
  calibration: CameraInfoMessage | undefined,
): Promise<FrameContents> {
  if (as === 'image') {
    const picture = await readPicture(message, decoders);
    return { kind: 'image', ...calibrated(picture, calibration), ...picture };
  }
  if (as === 'depth') {
    const map = await readDepth(message, decoders);
    return { kind: 'depth', ...calibrated(map, calibration), ...map };
  }
  if (as === 'data') return { kind: 'data', value: decoders.json(message) };
  const cloud = decoders.decode(message, 'sensor_msgs/PointCloud2');
  if (!cloud) throw new Error(`${message.channel.topic} has no points`);
  return { kind: 'points', ...pointsOf(cloud) };
}

/** The intrinsics in pixels of the picture, which may have been scaled since its calibration. */
function calibrated(size: Size, info: CameraInfoMessage | undefined): { intrinsics?: Intrinsics } {
  const known = info && intrinsicsOf(info);
  if (!known) return {};
  const whole = info.width > 0 && info.height > 0;
  return { intrinsics: whole ? scaleIntrinsics(known, info, size) : known };
}
