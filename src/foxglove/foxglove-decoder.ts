import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import type { MessageSchema } from '../ros/codec.ts';
import type { MessageDecoder } from '../ros/message-decoder.ts';
import type { RosType } from '../ros/messages.ts';
import { foxgloveTypes, fromFoxglove } from './convert.ts';

const rosTypes = new Map(
  Object.entries(foxgloveTypes).map(([ros, name]) => [`foxglove.${name}`, ros as RosType]),
);

/**
 * The decoder of a topic with protobuf or JSON; nothing if its messages are none that frames are made
 * of.
 */
export function foxgloveDecoder(
  schema: MessageSchema,
  messageEncoding: string,
): MessageDecoder | undefined {
  const type = rosTypes.get(schema.name);
  if (messageEncoding === 'protobuf' && type && schema.encoding === 'protobuf')
    return protobufDecoder(schema, type);
  if (messageEncoding !== 'json') return undefined;
  const parse = (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) as unknown;
  if (!type) return { type: 'json', decode: parse };
  return { type, decode: (data) => fromFoxglove[type](fromJson(parse(data)) as never) };
}

function protobufDecoder({ name, data }: MessageSchema, type: RosType): MessageDecoder {
  const set = fileDescriptorSet.decode(data);
  const message = fromDescriptor(set, { keepCase: true }).lookupType(name);
  const options = { longs: Number, defaults: true, arrays: true } as const;
  return {
    type,
    decode: (bytes) =>
      fromFoxglove[type](message.toObject(message.decode(bytes), options) as never),
  };
}

const { FileDescriptorSet: fileDescriptorSet } = descriptor as unknown as {
  FileDescriptorSet: protobuf.Type;
};
const { fromDescriptor } = protobuf.Root as unknown as {
  fromDescriptor(set: protobuf.Message, options: { keepCase: true }): protobuf.Root;
};

/** Bytes are base64 and times `{ sec, nsec }` in Foxglove's JSON. */
function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'data' && typeof inner === 'string') return [key, Buffer.from(inner, 'base64')];
      if (key !== 'timestamp') return [key, fromJson(inner)];
      const { sec = 0, nsec = 0 } = inner as { sec?: number; nsec?: number };
      return [key, { seconds: sec, nanos: nsec }];
    }),
  );
}
