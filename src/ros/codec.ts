import type { RosMessages, RosType } from './messages.ts';

/** What describes the messages of a topic to a reader that does not know them. */
export interface MessageSchema {
  /** As the field names it: `sensor_msgs/msg/Image`, `foxglove.RawImage`. */
  readonly name: string;
  /** `ros2msg`, `protobuf`, `jsonschema`; as MCAP and the Foxglove WebSocket protocol name them. */
  readonly encoding: string;
  readonly data: Uint8Array;
}

/** Bytes of a message, and what describes them. */
export interface EncodedMessage {
  readonly schema: MessageSchema;
  /** `cdr`, `protobuf`, `json`. */
  readonly messageEncoding: string;
  readonly data: Uint8Array;
}

/** Writes messages in one of the field's encodings. Schemas are the same object for each type. */
export interface MessageEncoder {
  encode<T extends RosType>(type: T, message: RosMessages[T]): EncodedMessage;
  /**
   * A value of JSON.
   *
   * @param schema of an object; encodings that have no JSON write the text
   */
  encodeJson(value: object, schema: JsonSchema): EncodedMessage;
}

/** A JSON schema with its name: `depthline.Frame`. */
export interface JsonSchema {
  readonly name: string;
  readonly schema: object;
}
