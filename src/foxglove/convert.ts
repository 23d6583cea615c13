import type {
  CameraInfoMessage,
  CompressedImageMessage,
  Header,
  ImageMessage,
  PointCloud2Message,
  PointField,
  Quaternion,
  RosMessages,
  RosType,
  TransformsMessage,
  Vector3,
} from '../ros/messages.ts';

/** `google.protobuf.Timestamp` */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

interface Stamped {
  readonly timestamp?: Timestamp;
  readonly frame_id?: string;
}

export interface RawImage extends Stamped {
  readonly width: number;
  readonly height: number;
  readonly encoding: string;
  readonly step: number;
  readonly data: Uint8Array;
}

export interface CompressedImage extends Stamped {
  readonly data: Uint8Array;
  readonly format: string;
}

export interface CameraCalibration extends Stamped {
  readonly width: number;
  readonly height: number;
  readonly distortion_model: string;
  readonly D: ArrayLike<number>;
  readonly K: ArrayLike<number>;
  readonly R: ArrayLike<number>;
  readonly P: ArrayLike<number>;
}

export interface PointCloud extends Stamped {
  readonly pose: { readonly position: Vector3; readonly orientation: Quaternion };
  readonly point_stride: number;
  readonly fields: readonly { readonly name: string; offset: number; type: number }[];
  readonly data: Uint8Array;
}

export interface FrameTransforms {
  readonly transforms: readonly {
    readonly timestamp?: Timestamp;
    readonly parent_frame_id: string;
    readonly child_frame_id: string;
    readonly translation: Vector3;
    readonly rotation: Quaternion;
  }[];
}

/** Which message of Foxglove is which of ROS. */
export const foxgloveTypes = {
  'sensor_msgs/Image': 'RawImage',
  'sensor_msgs/CompressedImage': 'CompressedImage',
  'sensor_msgs/CameraInfo': 'CameraCalibration',
  'sensor_msgs/PointCloud2': 'PointCloud',
  'tf2_msgs/TFMessage': 'FrameTransforms',
} as const satisfies Readonly<Record<RosType, string>>;

/** A message of ROS as one of Foxglove, its bytes shared. */
export const toFoxglove: {
  readonly [T in RosType]: (message: RosMessages[T]) => object;
} = {
  'sensor_msgs/Image': ({ header, width, height, encoding, step, data }): RawImage => ({
    ...stamped(header),
    ...{ width, height, encoding, step, data },
  }),
  'sensor_msgs/CompressedImage': ({ header, data, format }): CompressedImage => ({
    ...stamped(header),
    ...{ data, format },
  }),
  'sensor_msgs/CameraInfo': ({
    header,
    width,
    height,
    distortion_model,
    d,
    k,
    r,
    p,
  }): CameraCalibration => ({
    ...stamped(header),
    ...{ width, height, distortion_model, D: d, K: k, R: r, P: p },
  }),
  'sensor_msgs/PointCloud2': (message): PointCloud => ({
    ...stamped(message.header),
    pose: { position: { x: 0, y: 0, z: 0 }, orientation: { x: 0, y: 0, z: 0, w: 1 } },
    point_stride: message.point_step,
    fields: message.fields.flatMap(packedFields),
    data: message.data,
  }),
  'tf2_msgs/TFMessage': ({ transforms }): FrameTransforms => ({
    transforms: transforms.map(({ header, child_frame_id, transform }) => ({
      timestamp: stamped(header).timestamp,
      parent_frame_id: header.frame_id,
      child_frame_id,
      translation: transform.translation,
      rotation: transform.rotation,
    })),
  }),
};

function stamped({ stamp, frame_id }: Header) {
  return { timestamp: { seconds: stamp.sec, nanos: stamp.nanosec }, frame_id };
}

function headerOf({ timestamp, frame_id = '' }: Stamped): Header {
  const { seconds = 0, nanos = 0 } = timestamp ?? {};
  return { stamp: { sec: seconds, nanosec: nanos }, frame_id };
}

/** Colours as Foxglove reads them: a byte each, in place of PCL's packed float. */
function packedFields({ name, offset, datatype }: PointField) {
  if (name !== 'rgb') return [{ name, offset, type: numericTypes[datatype] as number }];
  const uint8 = 1;
  return ['blue', 'green', 'red'].map((color, i) => ({
    name: color,
    offset: offset + i,
    type: uint8,
  }));
}

/** `foxglove.PackedElementField.NumericType` by the type of `sensor_msgs/PointField`. */
const numericTypes: Readonly<Record<number, number>> = {
  ...{ 1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 7: 7, 8: 8 },
};
const datatypes = Object.fromEntries(
  Object.entries(numericTypes).map(([datatype, type]) => [type, Number(datatype)]),
);

/** A message of Foxglove as one of ROS, its bytes shared. */
export const fromFoxglove: {
  readonly [T in RosType]: (message: never) => RosMessages[T];
} = {
  'sensor_msgs/Image': (message: RawImage): ImageMessage => {
    const { width, height, encoding, step, data } = message;
    const header = headerOf(message);
    return { header, width, height, encoding, step, data, is_bigendian: 0 };
  },
  'sensor_msgs/CompressedImage': (message: CompressedImage): CompressedImageMessage => {
    const { data, format } = message;
    return { header: headerOf(message), data, format };
  },
  'sensor_msgs/CameraInfo': (message: CameraCalibration): CameraInfoMessage => {
    const { width, height, distortion_model, D, K, R, P } = message;
    return {
      ...{ header: headerOf(message), width, height, distortion_model, d: D, k: K, r: R, p: P },
      binning_x: 0,
      binning_y: 0,
      roi: { x_offset: 0, y_offset: 0, height: 0, width: 0, do_rectify: false },
    };
  },
  'sensor_msgs/PointCloud2': (message: PointCloud): PointCloud2Message => {
    const { point_stride, fields, data } = message;
    const width = point_stride > 0 ? Math.floor(data.length / point_stride) : 0;
    return {
      header: headerOf(message),
      ...{ height: 1, width, fields: rosFields(fields), is_bigendian: false },
      ...{ point_step: point_stride, row_step: width * point_stride, data, is_dense: false },
    };
  },
  'tf2_msgs/TFMessage': ({ transforms }: FrameTransforms): TransformsMessage => ({
    transforms: transforms.map((one) => ({
      header: headerOf({
        ...(one.timestamp && { timestamp: one.timestamp }),
        frame_id: one.parent_frame_id,
      }),
      child_frame_id: one.child_frame_id,
      transform: { translation: one.translation, rotation: one.rotation },
    })),
  }),
};

/** The fields of a cloud; blue, green and red beside each other become `rgb`. */
function rosFields(fields: PointCloud['fields']): PointField[] {
  const at = (name: string) => fields.find((field) => field.name === name)?.offset;
  const blue = at('blue');
  const packed = blue !== undefined && at('green') === blue + 1 && at('red') === blue + 2;
  const others = fields.map(({ name, offset, type }) => ({
    ...{ name, offset, datatype: datatypes[type] ?? 0, count: 1 },
  }));
  return packed ? [...others, { name: 'rgb', offset: blue, datatype: 7, count: 1 }] : others;
}
