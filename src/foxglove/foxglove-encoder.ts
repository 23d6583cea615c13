import type { Type } from 'protobufjs';
import type { EncodedMessage, JsonSchema, MessageEncoder, MessageSchema } from '../ros/codec.ts';
import type { RosMessages, RosType } from '../ros/messages.ts';
import { foxgloveTypes, toFoxglove } from './convert.ts';
import { FoxgloveProtobuf } from './protobuf.ts';

/** Messages as Foxglove has them: its own schemas as protobuf, everything else as JSON. */
export class FoxgloveEncoder implements MessageEncoder {
  readonly #protobuf = new FoxgloveProtobuf();
  readonly #types = new Map<RosType, { readonly type: Type; readonly schema: MessageSchema }>();
  readonly #json = new Map<string, MessageSchema>();
  readonly #text = new TextEncoder();

  encode<T extends RosType>(type: T, message: RosMessages[T]): EncodedMessage {
    let found = this.#types.get(type);
    if (!found) {
      const name = foxgloveTypes[type];
      found = { type: this.#protobuf.type(name), schema: this.#protobuf.schema(name) };
      this.#types.set(type, found);
    }
    const { schema } = found;
    const data = found.type.encode(toFoxglove[type](message)).finish();
    return { schema, messageEncoding: 'protobuf', data };
  }

  encodeJson(value: object, { name, schema }: JsonSchema): EncodedMessage {
    let found = this.#json.get(name);
    if (!found) {
      found = { name, encoding: 'jsonschema', data: this.#text.encode(JSON.stringify(schema)) };
      this.#json.set(name, found);
    }
    const data = this.#text.encode(JSON.stringify(value));
    return { schema: found, messageEncoding: 'json', data };
  }
}
