import type { Channel, Parameter, StatusMessage } from '@foxglove/ws-protocol';
import { FoxgloveClient } from '@foxglove/ws-protocol';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { until } from './gstreamer.ts';

export interface Viewer {
  readonly client: FoxgloveClient;
  readonly channels: Map<string, Channel>;
  readonly parameters: Map<string, unknown>;
  readonly statuses: StatusMessage[];
  /** Messages of a topic from now on, decoded. */
  subscribe(topic: string, decode?: (channel: Channel) => Decode): Promise<ViewedMessage[]>;
  close(): void;
}

export interface ViewedMessage {
  readonly timestamp: bigint;
  readonly value: Record<string, unknown>;
}

export type Decode = (data: Uint8Array) => unknown;

/** The published client of the protocol, connected; it is closed when the test ends. */
export async function openViewer(
  address: string,
  protocol = 'foxglove.websocket.v1',
): Promise<Viewer> {
  const socket = new WebSocket(address, [protocol]);
  const client = new FoxgloveClient({ ws: socket as never });
  const channels = new Map<string, Channel>();
  const parameters = new Map<string, unknown>();
  const statuses: StatusMessage[] = [];
  const subscriptions = new Map<number, (timestamp: bigint, data: DataView) => void>();
  let open = false;
  client.on('serverInfo', () => {
    open = true;
  });
  client.on('advertise', (added) => {
    for (const channel of added) channels.set(channel.topic, channel);
  });
  client.on('parameterValues', ({ parameters: values }) => {
    for (const { name, value } of values as Parameter[]) parameters.set(name, value);
  });
  client.on('status', (status) => statuses.push(status as StatusMessage));
  client.on('error', () => {});
  client.on('message', ({ subscriptionId, timestamp, data }) =>
    subscriptions.get(subscriptionId)?.(timestamp, data as DataView),
  );
  onTestFinished(() => client.close());
  await until(() => open);
  return {
    ...{ client, channels, parameters, statuses },
    async subscribe(topic, decodeOf = decoderOf) {
      await until(() => channels.has(topic));
      const channel = channels.get(topic) as Channel;
      const decode = decodeOf(channel);
      const messages: ViewedMessage[] = [];
      subscriptions.set(
        client.subscribe(channel.id),
        (timestamp, { buffer, byteOffset, byteLength }) => {
          const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
          messages.push({ timestamp, value: decode(bytes) as Record<string, unknown> });
        },
      );
      return messages;
    },
    close: () => client.close(),
  };
}

/** By the schema that the server sent, and protobufjs alone. */
function decoderOf({ encoding, schema, schemaName }: Channel): Decode {
  if (encoding === 'json') return (data) => JSON.parse(new TextDecoder().decode(data)) as unknown;
  const { FileDescriptorSet } = descriptor as unknown as { FileDescriptorSet: protobuf.Type };
  const { fromDescriptor } = protobuf.Root as unknown as {
    fromDescriptor(set: protobuf.Message): protobuf.Root;
  };
  const set = FileDescriptorSet.decode(Buffer.from(schema, 'base64'));
  const type = fromDescriptor(set).lookupType(schemaName);
  return (data) => type.toObject(type.decode(data), { longs: Number });
}
