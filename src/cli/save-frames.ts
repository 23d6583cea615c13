import { join } from 'node:path';
import { resolvePath } from '../core/resolve-path.ts';
import { encodeNpy } from '../depth/npy.ts';
import { FileIndex } from '../files/file-index.ts';
import { writeNew } from '../files/own-file.ts';
import { sinkError } from '../files/write-problem.ts';
import type { ReceivedFrame } from '../topic/subscribe-depth.ts';

export interface Saver {
  save(frame: ReceivedFrame): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes frames that hold an array. Existing files are kept, also when the publisher restarts.
 *
 * @param path folder, from the working directory
 * @throws DepthlineError `SINK` if nothing can be written there
 */
export async function openSaver(path: string): Promise<Saver> {
  const directory = resolvePath(process.cwd(), path);
  const failed = (error: unknown): never => {
    throw sinkError(directory, error);
  };
  const index = await FileIndex.open({ directory, prefix: '', existing: 'append' }).catch(failed);
  return {
    async save(frame) {
      if (frame.kind === 'data') return;
      const name = `${index.stem(frame)}.npy`;
      try {
        await writeNew(join(directory, name), encodeNpy(frame.data, frame.header.shape));
        await index.add(frame, [name]);
      } catch (error) {
        failed(error);
      }
    },
    close: () => index.close(),
  };
}
