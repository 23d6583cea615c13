import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { McapIndexedReader, McapStreamReader } from '@mcap/core';
import { lastValueFrom, toArray } from 'rxjs';
import type { z } from 'zod';
import type { ComponentContext } from '../../src/core/component-context.ts';
import type { Frame } from '../../src/core/frame.ts';
import { loadDecompressors } from '../../src/mcap/compression.ts';
import { mcap } from '../../src/sinks/mcap.ts';
import { mcap as mcapSource } from '../../src/sources/mcap.ts';
import { type TestContext, testContext } from './context.ts';

/** Writes frames to a file through the sink, and closes it. */
export async function recordFrames(
  path: string,
  frames: readonly Frame[],
  options: Partial<z.input<typeof mcap.options>> = {},
  overrides: Partial<ComponentContext> = {},
): Promise<TestContext> {
  const context = testContext({ name: 'mcap', baseDirectory: dirname(path), ...overrides });
  try {
    const sink = await mcap.create(mcap.options.parse({ path, ...options }), context);
    for (const frame of frames) await sink?.write(frame);
  } finally {
    await context.close();
  }
  return context;
}

/** Reads the frames of a file through the source, as fast as it gives them. */
export async function playFrames(
  options: z.input<typeof mcapSource.options>,
  context: TestContext = testContext({ name: 'mcap' }),
): Promise<Frame[]> {
  const source = await mcapSource.create(mcapSource.options.parse(options), context);
  const frames = await lastValueFrom(source.pipe(toArray()));
  await context.close();
  return frames;
}

export interface TestMessage {
  readonly topic: string;
  readonly schema: string;
  readonly messageEncoding: string;
  readonly sequence: number;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** Every message of a complete file, by the library's indexed reader, in order of time. */
export async function readMcap(path: string): Promise<TestMessage[]> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const readable = {
      size: async () => BigInt(size),
      async read(offset: bigint, length: bigint) {
        const bytes = Buffer.alloc(Number(length));
        await handle.read(bytes, 0, bytes.length, Number(offset));
        return bytes;
      },
    };
    const decompressHandlers = await loadDecompressors();
    const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
    const messages: TestMessage[] = [];
    for await (const message of reader.readMessages({ validateCrcs: true })) {
      const channel = reader.channelsById.get(message.channelId);
      if (!channel) throw new Error(`no channel ${message.channelId}`);
      const { sequence, logTime, publishTime } = message;
      messages.push({
        ...{ topic: channel.topic, messageEncoding: channel.messageEncoding },
        schema: reader.schemasById.get(channel.schemaId)?.name ?? '',
        ...{ sequence, logTime, publishTime, data: message.data.slice() },
      });
    }
    return messages;
  } finally {
    await handle.close();
  }
}

/** Messages that a streaming reader gets of a file, also of one that was cut off, by topic. */
export async function streamMcap(path: string): Promise<{ topics: Map<string, number> }> {
  const handle = await open(path);
  const reader = new McapStreamReader({ decompressHandlers: await loadDecompressors() });
  reader.append(await handle.readFile());
  await handle.close();
  const channels = new Map<number, string>();
  const topics = new Map<string, number>();
  for (let record = reader.nextRecord(); record; record = reader.nextRecord()) {
    if (record.type === 'Channel') channels.set(record.id, record.topic);
    if (record.type !== 'Message') continue;
    const topic = channels.get(record.channelId) as string;
    topics.set(topic, (topics.get(topic) ?? 0) + 1);
  }
  return { topics };
}

/** Frames in a complete recording of ours. */
export async function framesIn(path: string): Promise<number> {
  const messages = await readMcap(path);
  return messages.filter(({ topic }) => topic.endsWith('/depthline/frame')).length;
}
