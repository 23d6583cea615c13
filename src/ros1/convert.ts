import type {
  CameraInfoMessage,
  Header,
  RosMessages,
  RosTime,
  RosType,
  TransformsMessage,
} from '../ros/messages.ts';

/** Times and headers as the messages of ROS 1 have them. */
interface Ros1Time {
  readonly sec: number;
  readonly nsec: number;
}
export interface Ros1Header {
  /** Rises by one with each message of a publisher. */
  readonly seq: number;
  readonly stamp: Ros1Time;
  readonly frame_id: string;
}
type Ros1Message<T> = Omit<T, 'header'> & { readonly header: Ros1Header };
type Ros1CameraInfo = Omit<Ros1Message<CameraInfoMessage>, 'd' | 'k' | 'r' | 'p'> &
  Readonly<Record<'D' | 'K' | 'R' | 'P', ArrayLike<number>>>;
interface Ros1Transforms {
  readonly transforms: readonly Ros1Message<TransformsMessage['transforms'][number]>[];
}

/**
 * A message as ROS 1 has it, its bytes shared.
 *
 * @param seq number of the frame
 */
export function toRos1<T extends RosType>(type: T, message: RosMessages[T], seq: number): unknown {
  if (type === 'tf2_msgs/TFMessage') {
    const { transforms } = message as TransformsMessage;
    return { transforms: transforms.map((one) => withHeader(one, seq)) };
  }
  const stamped = withHeader(message as { readonly header: Header }, seq);
  if (type !== 'sensor_msgs/CameraInfo') return stamped;
  const { d, k, r, p, ...others } = stamped as unknown as CameraInfoMessage;
  return { ...others, D: d, K: k, R: r, P: p };
}

/** A message of ROS 1 as the others have it, its bytes shared. */
export function fromRos1<T extends RosType>(type: T, message: unknown): RosMessages[T] {
  if (type === 'tf2_msgs/TFMessage') {
    const { transforms } = message as Ros1Transforms;
    return { transforms: transforms.map(withoutSeq) } as unknown as RosMessages[T];
  }
  const stamped = withoutSeq(message as Ros1Message<object>);
  if (type !== 'sensor_msgs/CameraInfo') return stamped as unknown as RosMessages[T];
  const { D, K, R, P, ...others } = stamped as unknown as Ros1CameraInfo;
  return { ...others, d: D, k: K, r: R, p: P } as unknown as RosMessages[T];
}

function withHeader<M extends { readonly header: Header }>(
  message: M,
  seq: number,
): Ros1Message<M> {
  const { stamp, frame_id } = message.header;
  const header = {
    seq: seq % 2 ** 32,
    stamp: { sec: stamp.sec, nsec: stamp.nanosec },
    frame_id,
  };
  return { ...message, header };
}

function withoutSeq<M extends object>(message: Ros1Message<M>): M & { readonly header: Header } {
  const { stamp, frame_id } = message.header;
  const time: RosTime = { sec: stamp.sec, nanosec: stamp.nsec };
  return { ...(message as unknown as M), header: { stamp: time, frame_id } };
}
