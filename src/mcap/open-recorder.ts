import type { ComponentContext } from '../core/component.ts';
import type { MessageEncoder } from '../ros/codec.ts';
import { type FrameMessageOptions, FrameMessages } from '../ros/frame-messages.ts';
import { type Compression, loadCompressor } from './compression.ts';
import { libraryName } from './library-name.ts';
import { McapRecorder, type RecorderOptions } from './recorder.ts';

export type OpenOptions = Omit<RecorderOptions, 'writer'> &
  FrameMessageOptions & {
    readonly encoding: 'ros2' | 'foxglove';
    readonly compression: Compression;
    /** Bytes of a chunk before compression. */
    readonly chunkBytes: number;
  };

/** A recorder with the libraries that its options need. */
export async function openRecorder(
  options: OpenOptions,
  context: ComponentContext,
): Promise<McapRecorder> {
  const { encoding, compression, chunkBytes } = options;
  const [encoders, compressor, encoder] = await Promise.all([
    import('../imaging/encode.ts'),
    loadCompressor(compression),
    loadEncoder(encoding),
  ]);
  const writer = {
    profile: encoding === 'ros2' ? 'ros2' : '',
    ...{ library: libraryName(), compressor, chunkBytes },
  };
  const messages = new FrameMessages(options, encoders);
  return new McapRecorder({ ...options, writer }, context, encoder, messages);
}

async function loadEncoder(encoding: 'ros2' | 'foxglove'): Promise<MessageEncoder> {
  if (encoding === 'ros2') return new (await import('../ros/ros2-encoder.ts')).Ros2Encoder();
  return new (await import('../foxglove/foxglove-encoder.ts')).FoxgloveEncoder();
}
