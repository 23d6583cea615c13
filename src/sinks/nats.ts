import { z } from 'zod';
import { defineSink, type Sink } from '../core/component.ts';
import type { ComponentContext } from '../core/component-context.ts';
import type { ExpectedFrames } from '../core/component-facts.ts';
import { DepthlineError } from '../core/errors.ts';
import type { Frame, FrameKind } from '../core/frame.ts';
import { FrameRefused } from '../core/frame-refused.ts';
import { giveReceipt } from '../core/receipts.ts';
import type { Size } from '../core/size.ts';
import { metricProblems } from '../depth/relative.ts';
import {
  connectOptions,
  connectProblem,
  connectReads,
  connectWarnings,
  subjectProblem,
} from '../nats/connect-options.ts';
import { type Connection, openConnection } from '../nats/connection.ts';
import { messageId, newRun, subjectOf, subjectPattern } from '../nats/message-id.ts';
import { Publisher } from '../nats/publisher.ts';
import { sendLive, sendStored } from '../nats/sending.ts';
import { streamSchema } from '../nats/stream-options.ts';
import { subjectsMeet } from '../nats/subjects-meet.ts';
import { isPacked, packedEncodings, type TopicEncoding, topicEncodings } from '../topic/header.ts';
import { packMessage } from '../topic/message.ts';
import { encodeMessage } from '../topic/message-codec.ts';
import { loadCodec } from '../topic/packed-depth.ts';

/** For subject, headers and their ends, bytes. */
const roomForHeaders = 1024;

const options = z
  .strictObject({
    ...connectOptions,
    subject: z
      .string()
      .refine((text) => subjectProblem(subjectPattern(text), true) === undefined, {
        error: (issue) => subjectProblem(subjectPattern(String(issue.input)), true) as string,
      })
      .refine((text) => !/[*>]/.test(text), { error: 'must not have wildcards' })
      .default('depthline.depth')
      .describe(
        'subject of messages; {camera}: name of the camera, or last word of the subject that a frame came on',
      ),
    delivery: z
      .enum(['live', 'stored'])
      .default('live')
      .describe('live: to whoever subscribes now; stored: in a stream of JetStream'),
    stream: streamSchema.optional(),
    encoding: z
      .enum(topicEncodings)
      .default('16UC1-deflate')
      .describe(
        'depth as float32 metres, uint16 millimetres, or those compressed without loss: about a twentieth of float32',
      ),
    unacknowledged: z
      .int()
      .min(1)
      .max(1024)
      .default(8)
      .describe('frames that may be on their way; 1: the next is sent when the last has arrived'),
  })
  .superRefine((o, context) => {
    const problem = connectProblem(o);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    if (o.stream && o.delivery === 'live')
      context.addIssue({
        code: 'custom',
        path: ['stream'],
        message: 'is for "delivery: stored"; set it, or leave "stream" out',
      });
    const published = subjectPattern(o.subject);
    if (o.stream?.subjects?.some((stores) => subjectsMeet(stores, published)) === false)
      context.addIssue({
        code: 'custom',
        path: ['stream', 'subjects'],
        message: `the stream would not store ${o.subject}, on which this sink publishes; add it`,
      });
  });

type Options = z.output<typeof options>;

/** Why millimetres refuse relative depth, and what to use. */
const millimetres = ['16UC1 is in millimetres', 'use encoding: 32FC1'] as const;

/**
 * Publishes frames as messages of the depth topic in one part (docs/depth-topic.md) on a NATS server. A
 * frame is delivered once the server has acknowledged it; what it has not when the run ends counts as
 * failed. While the server is away, frames wait as the queue says; stored ones are sent again and, by
 * their ids, stored once.
 */
export const nats = defineSink({
  name: 'nats',
  summary: 'Publishes depth, pictures, points and data on NATS, live or stored in JetStream.',
  accepts: ['depth', 'image', 'points', 'data'],
  namesCamera: ['subject'],
  options,
  usesPicture: () => false,
  examples: [
    { subject: 'depthline.depth.front' },
    {
      servers: 'nats://127.0.0.1:4222',
      subject: 'depthline.depth.front',
      delivery: 'stored',
      stream: {
        name: 'DEPTH',
        subjects: ['depthline.depth.>'],
        'max-age': '24h',
        'max-size': '10GB',
      },
    },
  ],
  claims: ({ servers, subject }) => [
    {
      what: `subject ${subject}`,
      at: servers.toSorted().join(),
      option: 'subject',
      perCamera: true,
    },
  ],
  warnings: connectWarnings,
  reads: connectReads,
  check: ({ encoding }, { arriving }) =>
    encoding !== '32FC1' ? metricProblems(arriving, 'encoding', ...millimetres) : [],
  create: (options, context) => open(options, context),
});

async function open(options: Options, context: ComponentContext): Promise<Sink> {
  if (isPacked(options.encoding)) await loadCodec(packedEncodings[options.encoding]);
  for (const warning of connectWarnings(options)) context.log.warn(warning);
  const connection = await openConnection(options, context, 'SINK');
  const stored = options.delivery === 'stored';
  const target = { subject: subjectPattern(options.subject), stream: options.stream };
  const send = stored
    ? await sendStored(connection, target, (message) => context.log.warn(message))
    : await sendLive(connection);
  const publisher = new Publisher({
    connection,
    send,
    limit: options.unacknowledged,
    onFailure: stored ? 'send-again' : 'give-up',
    context,
  });
  const run = newRun();
  let messages = 0;
  let bytes = 0;
  let lastSeq: number | undefined;
  context.summary(() => ({
    server: connection.server,
    subject: options.subject,
    ...(stored && { run }),
    ...(publisher.sentAgain > 0 && { sentAgain: publisher.sentAgain }),
    messages,
    bytes,
  }));
  return {
    confirms: true,
    expect: (frames) => checkExpected(frames, options, connection),
    async write(frame) {
      const dropped = lastSeq === undefined ? 0 : Math.max(0, frame.seq - lastSeq - 1);
      lastSeq = frame.seq;
      const subject = subjectOf(options.subject, frame);
      if (subject === undefined)
        throw new FrameRefused(
          'no camera has a name for "{camera}": it is for pipelines with "cameras", or behind a source "nats"',
        );
      const data = await encode(frame, subject, dropped, options, context);
      checkSize(data, connection, frame);
      const id = messageId(frame, run, subject);
      await publisher.publish({ subject, id, data }, () => giveReceipt(frame, context.path));
      messages++;
      bytes += data.length;
    },
  };
}

async function encode(
  frame: Frame,
  subject: string,
  dropped: number,
  { encoding }: Options,
  { clock }: ComponentContext,
): Promise<Uint8Array> {
  const { origin } = frame;
  // By the numbers of the camera, not of this worker.
  const sent = origin ? { ...frame, seq: origin.seq, pts: origin.pts } : frame;
  const { header, payload } = await encodeMessage(sent, {
    encoding,
    publishedAt: clock.wall(),
    dropped: origin?.dropped ?? dropped,
  });
  return packMessage('single', subject, header, payload)[0] as Uint8Array;
}

/** The server would end the connection. */
function checkSize(data: Uint8Array, connection: Connection, { kind }: Frame): void {
  if (!isTooLarge(data.length, connection)) return;
  const message = `a message of ${kind} has ${data.length} bytes, ${tooLarge(connection, kind)}`;
  throw new FrameRefused(message);
}

/** The same before the first frame, where the size of all is known, and that they are too large. */
function checkExpected(
  { kinds, size }: ExpectedFrames,
  { encoding }: Options,
  connection: Connection,
): void {
  const bytes = (kind: FrameKind) => (size ? leastBytes(kind, size, encoding) : 0);
  const [kind] = kinds;
  if (!size || !kind || !kinds.every((one) => isTooLarge(bytes(one), connection))) return;
  const message = `a message of ${kind} of ${size.width}×${size.height} pixels has ${bytes(kind)} bytes and its header, ${tooLarge(connection, kind)}`;
  throw new DepthlineError('SINK', message);
}

/** Bytes that the pixels take at least; 0 where that depends on what they are. */
function leastBytes(kind: FrameKind, { width, height }: Size, encoding: TopicEncoding): number {
  const pixels = width * height;
  if (kind === 'image') return 3 * pixels;
  if (kind !== 'depth' || isPacked(encoding)) return 0;
  return pixels * (encoding === '32FC1' ? 4 : 2);
}

function isTooLarge(bytes: number, { nats }: Connection): boolean {
  const most = nats.info?.max_payload;
  return most !== undefined && bytes + roomForHeaders > most;
}

function tooLarge({ nats, server }: Connection, kind: FrameKind): string {
  return `and ${server} accepts ${nats.info?.max_payload}: raise max_payload of the server, send smaller frames${kind === 'depth' ? ', or compress them with "encoding"' : ''}`;
}
