import { open } from 'node:fs/promises';
import { compress, isLoaded } from '@foxglove/wasm-zstd';
import { McapWriter } from '@mcap/core';
import { compressFrameSync } from 'lz4-napi';

export interface BagMessage {
  readonly topic: string;
  readonly schema: { readonly name: string; readonly encoding: string; readonly data: Uint8Array };
  readonly messageEncoding: string;
  readonly logTime: bigint;
  readonly data: Uint8Array;
}

export interface BagOptions {
  readonly profile: string;
  readonly library: string;
  readonly compression: 'zstd' | 'lz4' | '' | 'no chunks';
  /** Metadata of every channel. */
  readonly channel?: ReadonlyMap<string, string>;
  /** What the end of the file has. */
  readonly summary?: Pick<
    ConstructorParameters<typeof McapWriter>[0],
    'repeatChannels' | 'repeatSchemas' | 'useStatistics' | 'useChunkIndex' | 'useSummaryOffsets'
  >;
  readonly metadata?: { readonly name: string; readonly metadata: ReadonlyMap<string, string> };
}

/** Writes a file with the writer of @mcap/core, which Depthline does not use. */
export async function writeBag(
  path: string,
  messages: readonly BagMessage[],
  { profile, library, compression, channel = new Map(), summary, metadata }: BagOptions,
): Promise<void> {
  await isLoaded;
  const packed = {
    zstd: (data: Uint8Array) => compress(data),
    lz4: (data: Uint8Array) => compressFrameSync(Buffer.from(data)),
  };
  const handle = await open(path, 'wx');
  let at = 0n;
  const writer = new McapWriter({
    writable: {
      position: () => at,
      async write(bytes) {
        await handle.write(bytes);
        at += BigInt(bytes.length);
      },
    },
    chunkSize: 768 * 1024,
    ...summary,
    useChunks: compression !== 'no chunks',
    ...((compression === 'zstd' || compression === 'lz4') && {
      compressChunk: (data) => ({ compression, compressedData: packed[compression](data) }),
    }),
  });
  await writer.start({ profile, library });
  const schemas = new Map<string, number>();
  const channels = new Map<string, number>();
  for (const { topic, schema, messageEncoding, logTime, data } of messages) {
    const schemaId = schemas.get(schema.name) ?? (await writer.registerSchema(schema));
    schemas.set(schema.name, schemaId);
    const info = { schemaId, topic, messageEncoding, metadata: new Map(channel) };
    const channelId = channels.get(topic) ?? (await writer.registerChannel(info));
    channels.set(topic, channelId);
    await writer.addMessage({ channelId, sequence: 0, logTime, publishTime: logTime, data });
  }
  if (metadata)
    await writer.addMetadata({ name: metadata.name, metadata: new Map(metadata.metadata) });
  await writer.end();
  await handle.close();
}

const line = '='.repeat(80);
const header = `${line}
MSG: std_msgs/Header
# When and where the data was taken.
builtin_interfaces/Time stamp

# Transform frame with which this data is associated.
string frame_id

${line}
MSG: builtin_interfaces/Time
# Seconds, may be negative.
int32 sec

# Nanoseconds, in [0, 10e9).
uint32 nanosec
`;

const texts: Readonly<Record<string, string>> = {
  Image: `# An uncompressed image, (0, 0) is its top left corner.
std_msgs/Header header # Acquisition time of the image
                       # +z points into the image

uint32 height                # image height, that is, number of rows
uint32 width                 # image width, that is, number of columns

string encoding       # Encoding of pixels -- channel meaning, ordering, size
uint8 is_bigendian    # is this data bigendian?
uint32 step           # Full row length in bytes
uint8[] data          # actual matrix data, size is (step * rows)

${header}`,
  CompressedImage: `std_msgs/Header header # Acquisition time of the image

string format
# such as "jpeg", or "<encoding>; jpeg compressed <encoding>"

uint8[] data                 # Compressed image buffer

${header}`,
  CameraInfo: `std_msgs/Header header

uint32 height
uint32 width
string distortion_model
float64[] d
float64[9]  k # 3x3 row-major matrix
float64[9]  r # 3x3 row-major matrix
float64[12] p # 3x4 row-major matrix
uint32 binning_x
uint32 binning_y
RegionOfInterest roi

${header}${line}
MSG: sensor_msgs/RegionOfInterest
uint32 x_offset  # Leftmost pixel of the ROI
uint32 y_offset
uint32 height
uint32 width
bool do_rectify
`,
  PointCloud2: `std_msgs/Header header
uint32 height
uint32 width
PointField[] fields
bool    is_bigendian # Is this data bigendian?
uint32  point_step   # Length of a point in bytes
uint32  row_step     # Length of a row in bytes
uint8[] data         # Actual point data, size is (row_step*height)
bool is_dense        # True if there are no invalid points

${header}${line}
MSG: sensor_msgs/PointField
uint8 INT8    = 1
uint8 UINT8   = 2
uint8 FLOAT32 = 7

string name
uint32 offset
uint8  datatype
uint32 count
`,
  Imu: `std_msgs/Header header\nfloat64 x\n\n${header}`,
};

/** A schema as ROS 2 stores it: the text of the definition and of all in it, with comments. */
export function ros2Schema(type: string): BagMessage['schema'] {
  const data = new TextEncoder().encode(texts[type]);
  return { name: `sensor_msgs/msg/${type}`, encoding: 'ros2msg', data };
}
