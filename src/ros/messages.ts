/** Seconds and nanoseconds since the Unix epoch. */
export interface RosTime {
  readonly sec: number;
  readonly nanosec: number;
}

export interface Header {
  readonly stamp: RosTime;
  readonly frame_id: string;
}

/** `sensor_msgs/Image` */
export interface ImageMessage {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly encoding: string;
  readonly is_bigendian: number;
  /** Bytes from one row to the next. */
  readonly step: number;
  readonly data: Uint8Array;
}

/** `sensor_msgs/CompressedImage` */
export interface CompressedImageMessage {
  readonly header: Header;
  /** `jpeg`, `png`, or as image_transport writes it: `rgb8; jpeg compressed bgr8`. */
  readonly format: string;
  readonly data: Uint8Array;
}

/** `sensor_msgs/CameraInfo`; matrices are row-major. */
export interface CameraInfoMessage {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly distortion_model: string;
  readonly d: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly r: ArrayLike<number>;
  readonly p: ArrayLike<number>;
  readonly binning_x: number;
  readonly binning_y: number;
  readonly roi: {
    readonly x_offset: number;
    readonly y_offset: number;
    readonly height: number;
    readonly width: number;
    readonly do_rectify: boolean;
  };
}

/** `sensor_msgs/PointField` */
export interface PointField {
  readonly name: string;
  readonly offset: number;
  readonly datatype: number;
  readonly count: number;
}

/** `sensor_msgs/PointCloud2` */
export interface PointCloud2Message {
  readonly header: Header;
  readonly height: number;
  readonly width: number;
  readonly fields: readonly PointField[];
  readonly is_bigendian: boolean;
  readonly point_step: number;
  readonly row_step: number;
  readonly data: Uint8Array;
  readonly is_dense: boolean;
}

export interface Vector3 {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface Quaternion extends Vector3 {
  readonly w: number;
}

/** `geometry_msgs/TransformStamped` */
export interface TransformStamped {
  readonly header: Header;
  readonly child_frame_id: string;
  readonly transform: { readonly translation: Vector3; readonly rotation: Quaternion };
}

/** `tf2_msgs/TFMessage` */
export interface TransformsMessage {
  readonly transforms: readonly TransformStamped[];
}

/**
 * The messages that frames become and are made of, by the name of their type. Field names are those of
 * ROS 2; ROS 1 and Foxglove differ in names only.
 */
export interface RosMessages {
  readonly 'sensor_msgs/Image': ImageMessage;
  readonly 'sensor_msgs/CompressedImage': CompressedImageMessage;
  readonly 'sensor_msgs/CameraInfo': CameraInfoMessage;
  readonly 'sensor_msgs/PointCloud2': PointCloud2Message;
  readonly 'tf2_msgs/TFMessage': TransformsMessage;
}

export type RosType = keyof RosMessages;

/** What of a frame a message holds. */
export type FramePart = 'image' | 'picture' | 'depth' | 'truth' | 'points';

/** A message and the topic that it is for. */
export type TopicMessage = {
  readonly [T in RosType]: {
    readonly topic: string;
    /** Nothing for calibrations and transforms. */
    readonly part?: FramePart;
    readonly type: T;
    readonly message: RosMessages[T];
  };
}[RosType];

/** @param ns nanoseconds since the Unix epoch */
export function rosTime(ns: bigint): RosTime {
  return { sec: Number(ns / 1_000_000_000n), nanosec: Number(ns % 1_000_000_000n) };
}

/** Nanoseconds since the Unix epoch. */
export function nanosecondsOf({ sec, nanosec }: RosTime): bigint {
  return BigInt(sec) * 1_000_000_000n + BigInt(nanosec);
}
