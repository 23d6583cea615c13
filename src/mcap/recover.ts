import { DepthlineError } from '../core/errors.ts';
import { findRecordings } from '../files/recordings.ts';
import { ChunkCompressor } from './chunk-compressor.ts';
import { loadDecompressors } from './compression.ts';
import { libraryName } from './library-name.ts';
import { McapFile, type ReadMessage } from './mcap-file.ts';
import { RecordingFile } from './recording-file.ts';

export interface Recovered {
  /** The whole file. */
  readonly path: string;
  readonly messages: number;
  /** What could not be read. */
  readonly damage: readonly string[];
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
    if (file.summary && (await isSound(file))) return undefined;
    return await copy(file, base);
  } finally {
    await file.close();
  }
}

/** Whether every chunk of a file can be read. */
async function isSound(file: McapFile): Promise<boolean> {
  try {
    for await (const _ of file.messages());
    return true;
  } catch {
    // What is damaged is reported when the rest is copied.
    return false;
  }
}

async function copy(file: McapFile, base: string): Promise<Recovered> {
  const damage: string[] = [];
  const messages = readable(file, damage);
  const first = await messages.next();
  if (first.done) {
    const why = damage[0] ?? `${file.path} was cut off before its first chunk`;
    throw new DepthlineError('SOURCE', `${why}; nothing can be recovered`);
  }
  const { last } = await findRecordings(base);
  const compressor = new ChunkCompressor('zstd', (problem) => damage.push(problem));
  try {
    const writer = {
      profile: first.value.channel.messageEncoding === 'cdr' ? 'ros2' : '',
      ...{ library: libraryName(), chunkBytes },
    };
    const output = await RecordingFile.create(base, last + 1, writer, compressor);
    return await write(output, first.value, messages, damage);
  } finally {
    await compressor.close();
  }
}

async function write(
  output: RecordingFile,
  first: ReadMessage,
  messages: AsyncIterable<ReadMessage>,
  damage: readonly string[],
): Promise<Recovered> {
  try {
    await add(first, output);
    let count = 1;
    for await (const message of messages) {
      await add(message, output);
      count++;
    }
    const path = await output.finish(new Map([['recovered', 'true']]));
    return { path, messages: count, damage };
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

/** The messages of all chunks that can be read; what is wrong with the others goes to `damage`. */
async function* readable(file: McapFile, damage: string[]): AsyncGenerator<ReadMessage, void> {
  const report = ({ message }: DepthlineError) => {
    damage.push(message.replace(/; "depthline recover".*/, ''));
  };
  try {
    yield* file.messages({}, report);
  } catch (error) {
    if (!(error instanceof DepthlineError)) throw error;
    report(error);
  }
}

function add({ channel, ...message }: ReadMessage, output: RecordingFile): Promise<void> {
  const { topic, messageEncoding, metadata } = channel;
  return output.add([{ ...message, topic, messageEncoding, metadata }], 1);
}
