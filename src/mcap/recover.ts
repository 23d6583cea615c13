import { DepthlineError, reason } from '../core/errors.ts';
import { findRecordings } from '../files/recordings.ts';
import { loadCompressor, loadDecompressors } from './compression.ts';
import { libraryName } from './library-name.ts';
import { McapFile, type ReadMessage } from './mcap-file.ts';
import { RecordingFile } from './recording-file.ts';

export interface Recovered {
  /** The whole file. */
  readonly path: string;
  readonly messages: number;
  /** Why the rest could not be read; nothing if the file just ends. */
  readonly damage: string | undefined;
}

const chunkBytes = 1_000_000;

/**
 * Writes the messages of a file that was cut off or damaged to a new file with an index. The old one
 * stays as it is, and no file is replaced.
 *
 * @param base path of the new file; it gets a number if there is such a file
 * @returns nothing if the file is whole
 * @throws DepthlineError `SOURCE` if it is no MCAP file, or no message can be read
 * @throws Error of the file system
 */
export async function recover(path: string, base: string): Promise<Recovered | undefined> {
  const file = await McapFile.open(path, await loadDecompressors());
  try {
    return file.summary ? undefined : await copy(file, base);
  } finally {
    await file.close();
  }
}

async function copy(file: McapFile, base: string): Promise<Recovered> {
  const messages = file.messages();
  const first = await messages.next();
  if (first.done) {
    const message = `${file.path} was cut off before its first chunk; nothing can be recovered`;
    throw new DepthlineError('SOURCE', message);
  }
  const { last } = await findRecordings(base);
  const output = await RecordingFile.create(base, last + 1, {
    profile: first.value.channel.messageEncoding === 'cdr' ? 'ros2' : '',
    library: libraryName(),
    compressor: await loadCompressor('zstd'),
    chunkBytes,
  });
  try {
    const count = await copyAll(first.value, messages, output);
    return { path: await output.finish(new Map([['recovered', 'true']])), ...count };
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

async function copyAll(
  first: ReadMessage,
  rest: AsyncGenerator<ReadMessage, boolean>,
  output: RecordingFile,
): Promise<Pick<Recovered, 'messages' | 'damage'>> {
  let messages = 0;
  for (let message: ReadMessage | undefined = first; message; ) {
    const { topic, messageEncoding, metadata } = message.channel;
    await output.add([{ ...message, topic, messageEncoding, metadata }], 1);
    messages++;
    try {
      const next: IteratorResult<ReadMessage, boolean> = await rest.next();
      message = next.done ? undefined : next.value;
    } catch (error) {
      return { messages, damage: reason(error) };
    }
  }
  return { messages, damage: undefined };
}
