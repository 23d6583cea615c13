import type { ComponentContext } from '../core/component-context.ts';
import type { MessageEncoder } from '../ros/codec.ts';
import { type FrameMessageOptions, FrameMessages } from '../ros/frame-messages.ts';
import { ChunkCompressor } from './chunk-compressor.ts';
import type { Compression } from './compression.ts';
import { libraryName } from './library-name.ts';
import { McapRecorder, type RecorderOptions } from './recorder.ts';

export type OpenOptions = Omit<RecorderOptions, 'writer' | 'compressor'> &
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
  const [encoders, encoder] = await Promise.all([
    import('../imaging/encode.ts'),
    loadEncoder(encoding),
  ]);
  const profile = encoding === 'ros2' ? 'ros2' : '';
  const writer = { profile, library: libraryName(), chunkBytes };
  const compressor = new ChunkCompressor(compression, (message) => context.log.warn(message));
  context.defer(() => compressor.close());
  const messages = new FrameMessages(options, encoders);
  return new McapRecorder({ ...options, writer, compressor }, context, encoder, messages);
}

async function loadEncoder(encoding: 'ros2' | 'foxglove'): Promise<MessageEncoder> {
  if (encoding === 'ros2') return new (await import('../ros/ros2-encoder.ts')).Ros2Encoder();
  return new (await import('../foxglove/foxglove-encoder.ts')).FoxgloveEncoder();
}
