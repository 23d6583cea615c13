import { existsSync } from 'node:fs';
import { type MessageKind, messageKinds } from '../core/frame.ts';
import { loadDecompressors } from './compression.ts';
import { Decoders } from './decoders.ts';
import { parseRecord } from './frame-record.ts';
import { McapFile } from './mcap-file.ts';
import { ownTopic, topicsOf } from './topic-choice.ts';

/**
 * The kinds of frames that can be read of a file, pictures first; none of a glob.
 *
 * @throws DepthlineError `SOURCE` if it is no MCAP file
 */
export async function kindsOf(path: string): Promise<readonly MessageKind[]> {
  if (!existsSync(path) && /[*?[{]/.test(path)) return [];
  const file = await McapFile.open(path, await loadDecompressors());
  try {
    const decoders = new Decoders();
    const topics = await topicsOf(file, decoders);
    const own = ownTopic(topics);
    if (own === undefined) {
      return messageKinds.filter((kind) => topics.some((topic) => topic.kind === kind));
    }
    for await (const message of file.messages()) {
      if (message.channel.topic !== own) continue;
      const { parts = {} } = parseRecord(decoders.json(message)) ?? {};
      return messageKinds.filter((kind) => kind in parts);
    }
    return [];
  } finally {
    await file.close();
  }
}
