import { stringify } from '@foxglove/rosmsg';
import { ros2humble } from '@foxglove/rosmsg-msgs-common';
import { MessageWriter } from '@foxglove/rosmsg2-serialization';
import type { EncodedMessage, MessageEncoder, MessageSchema } from './codec.ts';
import type { RosMessages, RosType } from './messages.ts';

type MessageDefinition = ConstructorParameters<typeof MessageWriter>[0][number];

const definitions = ros2humble as unknown as Readonly<Record<string, MessageDefinition>>;
const separator = '='.repeat(80);

/** Types that are written: those of frames, and text for everything else. */
type Written = RosType | 'std_msgs/String';

interface Writer {
  readonly schema: MessageSchema;
  readonly writer: MessageWriter;
}

/**
 * Messages as ROS 2 has them: CDR, with the text of the definitions. ROS 2 plays no file in which
 * messages have different encodings, so that JSON is the text of a `std_msgs/String`.
 */
export class Ros2Encoder implements MessageEncoder {
  readonly #writers = new Map<string, Writer>();

  encode<T extends RosType>(type: T, message: RosMessages[T]): EncodedMessage {
    return this.#write(type, message);
  }

  encodeJson(value: object): EncodedMessage {
    return this.#write('std_msgs/String', { data: asciiJson(value) });
  }

  #write(type: Written, message: unknown): EncodedMessage {
    let found = this.#writers.get(type);
    if (!found) {
      const all = withDependencies(type);
      found = { schema: schemaOf(type, all), writer: new MessageWriter(all) };
      this.#writers.set(type, found);
    }
    const { schema, writer } = found;
    return { schema, messageEncoding: 'cdr', data: writer.writeMessage(message) };
  }
}

/** The library cuts strings that have more bytes than characters; JSON needs none of these. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The definition of a type, then those of all types in it. */
function withDependencies(type: string): MessageDefinition[] {
  const found = new Map<string, MessageDefinition>();
  const visit = (name: string) => {
    const definition = definitions[name];
    if (found.has(name) || !definition) return;
    found.set(name, definition);
    for (const field of definition.definitions) if (field.isComplex) visit(field.type);
  };
  visit(type);
  return [...found.values()];
}

/** The text as rosbag2 stores it: each further definition under its name. */
function schemaOf(type: string, all: readonly MessageDefinition[]): MessageSchema {
  const parts = [...all, ...timeOf(all)].map((definition, i) => {
    const text = stringify([{ definitions: definition.definitions.map(inRos2) }]).trim();
    return i === 0 ? text : `${separator}\nMSG: ${definition.name}\n${text}`;
  });
  return {
    name: type.replace('/', '/msg/'),
    encoding: 'ros2msg',
    data: new TextEncoder().encode(`${parts.join('\n')}\n`),
  };
}

const time = 'builtin_interfaces/Time';

/** The library has ROS 1's name for times; ROS 2 has a type of its own. */
function inRos2<F extends MessageDefinition['definitions'][number]>(field: F): F {
  return field.type === 'time' ? { ...field, type: time, isComplex: true } : field;
}

function timeOf(all: readonly MessageDefinition[]): MessageDefinition[] {
  const used = all.some((one) => one.definitions.some((field) => field.type === 'time'));
  const definition = definitions[time];
  return used && definition ? [definition] : [];
}
