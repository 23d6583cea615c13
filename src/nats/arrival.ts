import type { MessageFrame } from '../core/frame.ts';
import type { MessageHeader } from '../topic/header.ts';
import { unpackMessage } from '../topic/message.ts';
import { decodeMessage } from '../topic/message-codec.ts';
import { newRun, parseMessageId } from './message-id.ts';

/** A message that was read. */
export interface Arrival {
  readonly subject: string;
  /** `run-seq`, with what it has become since. */
  readonly id: string;
  readonly run: string;
  readonly frame: MessageFrame;
  readonly header: MessageHeader;
  /** Nanoseconds since the Unix epoch, by this machine's clock. */
  readonly receivedAt: bigint;
}

interface Received {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: { get(name: string): string } | undefined;
}

/** For messages without an id, from other programs. */
const unknownRun = newRun();

/** @throws CorruptMessage if it is not a message of the depth topic */
export async function readMessage(
  { subject, data, headers }: Received,
  receivedAt: bigint,
): Promise<Arrival> {
  const message = unpackMessage([data]);
  const { header } = message;
  const given = headers?.get('Nats-Msg-Id');
  const parsed = parseMessageId(given);
  return {
    subject,
    id: parsed ? (given as string) : `${unknownRun}-${header.seq}`,
    run: parsed?.run ?? unknownRun,
    frame: await decodeMessage(message),
    header,
    receivedAt,
  };
}

/** The last word of a subject. */
export function cameraOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}
