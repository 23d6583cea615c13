import {
  foxgloveEnumSchemas,
  foxgloveMessageSchemas,
  generateProto,
} from '@foxglove/schemas/internal.js';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import type { MessageSchema } from '../ros/codec.ts';

/** Messages of `@foxglove/schemas` that are written or read. */
export type FoxgloveType =
  | 'RawImage'
  | 'CompressedImage'
  | 'CameraCalibration'
  | 'PointCloud'
  | 'FrameTransforms';

/** What the extension of protobufjs adds to its roots; its types leave it out. */
interface Described {
  toDescriptor(syntax: string): { file: { package: string }[] };
}
const fileDescriptorSet = (descriptor as unknown as { FileDescriptorSet: protobuf.Type })
  .FileDescriptorSet;
const timestampFile = 'google/protobuf/timestamp.proto';

const schemas = foxgloveMessageSchemas as unknown as Readonly<Record<string, MessageSource>>;

interface MessageSource {
  readonly name: string;
  readonly protoEquivalent?: string;
  readonly fields: readonly { readonly type: { readonly type: string; schema?: MessageSource } }[];
}

/** The types and schemas of Foxglove's messages as protobuf, made of the definitions of the package. */
export class FoxgloveProtobuf {
  readonly #root = new protobuf.Root();
  readonly #loaded = new Set<string>();
  readonly #schemas = new Map<FoxgloveType, MessageSchema>();

  /** @param type a message of the package */
  type(type: FoxgloveType): protobuf.Type {
    this.#load(schemas[type] as MessageSource);
    return this.#root.lookupType(`foxglove.${type}`);
  }

  /** A `FileDescriptorSet` with the message and all that is in it. */
  schema(type: FoxgloveType): MessageSchema {
    let found = this.#schemas.get(type);
    if (!found) {
      const own = new FoxgloveProtobuf();
      own.type(type);
      found = {
        name: `foxglove.${type}`,
        encoding: 'protobuf',
        data: own.#descriptorSet(type),
      };
      this.#schemas.set(type, found);
    }
    return found;
  }

  /** protobufjs names one file per package, and leaves out that one imports the other. */
  #descriptorSet(type: FoxgloveType): Uint8Array {
    this.#root.resolveAll();
    const { file } = (this.#root as unknown as Described).toDescriptor('proto3');
    const of = (name: string) => file.filter((one) => one.package === name);
    const times = of('google.protobuf').map((one) => ({ ...one, name: timestampFile }));
    const own = of('foxglove').map((one) => ({
      ...one,
      name: `foxglove/${type}.proto`,
      dependency: times.map(({ name }) => name),
    }));
    return fileDescriptorSet
      .encode(fileDescriptorSet.fromObject({ file: [...times, ...own] }))
      .finish();
  }

  #load(source: MessageSource): void {
    const file = source.protoEquivalent ?? source.name;
    if (this.#loaded.has(file)) return;
    this.#loaded.add(file);
    if (source.protoEquivalent !== undefined) {
      const path = `google/protobuf/${source.name.toLowerCase()}.proto`;
      this.#root.addJSON(protobuf.common.get(path)?.nested ?? {});
      return;
    }
    const enums = Object.values(foxgloveEnumSchemas).filter(
      (one) => one.parentSchemaName === source.name,
    );
    protobuf.parse(generateProto(source as never, enums), this.#root, { keepCase: true });
    for (const { type } of source.fields) {
      if (type.type === 'nested' && type.schema) this.#load(type.schema);
    }
  }
}
