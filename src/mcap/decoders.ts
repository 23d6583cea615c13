import { foxgloveDecoder } from '../foxglove/foxglove-decoder.ts';
import type { MessageSchema } from '../ros/codec.ts';
import { type MessageDecoder, ros2Decoder } from '../ros/message-decoder.ts';
import { dataProblem, descriptionProblem } from '../ros/message-problems.ts';
import type { RosMessages, RosType } from '../ros/messages.ts';
import type { ReadMessage } from './mcap-file.ts';

/** Decoders of the topics of a file, made when a topic first has a message. */
export class Decoders {
  readonly #decoders = new Map<number, MessageDecoder | Error | undefined>();

  /**
   * Nothing for a topic with messages that no frame is made of.
   *
   * @throws Error if its schema cannot be read
   */
  of({ channel, schema }: Pick<ReadMessage, 'channel' | 'schema'>): MessageDecoder | undefined {
    if (!this.#decoders.has(channel.id)) {
      const made = decoderOf(channel.messageEncoding, schema ?? noSchema);
      this.#decoders.set(channel.id, made);
    }
    const decoder = this.#decoders.get(channel.id);
    if (decoder instanceof Error) throw decoder;
    return decoder;
  }

  /**
   * The message, if it is of this type.
   *
   * @throws Error if its schema cannot be read, or its data does not match it
   */
  decode<T extends RosType>(message: ReadMessage, type: T): RosMessages[T] | undefined {
    return this.#decoded(message, type) as RosMessages[T] | undefined;
  }

  /** A value of JSON, if it is one. */
  json(message: ReadMessage): unknown {
    return this.#decoded(message, 'json');
  }

  #decoded(message: ReadMessage, type: MessageDecoder['type']): unknown {
    const decoder = this.of(message);
    if (decoder?.type !== type) return undefined;
    try {
      return decoder.decode(message.data);
    } catch (error) {
      throw dataProblem(error);
    }
  }
}

const noSchema = { name: '', encoding: '', data: new Uint8Array() };

function decoderOf(
  messageEncoding: string,
  schema: MessageSchema,
): MessageDecoder | Error | undefined {
  try {
    if (messageEncoding === 'cdr') return ros2Decoder(schema);
    return foxgloveDecoder(schema, messageEncoding);
  } catch (error) {
    return descriptionProblem(error, 'schema');
  }
}
