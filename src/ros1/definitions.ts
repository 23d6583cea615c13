import type { MessageDefinition } from '@foxglove/message-definition';
import { parse, stringify } from '@foxglove/rosmsg';
import { ros1 } from '@foxglove/rosmsg-msgs-common';
import type { RosType } from '../ros/messages.ts';

/** Types that are published: those of frames, and text for everything else. */
export type Ros1Type = RosType | 'std_msgs/String';

const known = ros1 as unknown as Readonly<Record<string, MessageDefinition & { name: string }>>;
const separator = '='.repeat(80);

/** The text of a type's definition with those of all types in it, as ROS sends it to subscribers. */
export function definitionText(type: Ros1Type): string {
  const found = new Map<string, MessageDefinition>();
  const visit = (name: string) => {
    const definition = known[name];
    if (found.has(name) || !definition) return;
    found.set(name, definition);
    for (const field of definition.definitions) if (field.isComplex) visit(field.type);
  };
  visit(type);
  const parts = [...found].map(([name, { definitions }], i) => {
    const text = stringify([{ definitions }]).trim();
    return i === 0 ? text : `${separator}\nMSG: ${name}\n${text}`;
  });
  return `${parts.join('\n')}\n`;
}

/** The definition of a type, then those of all types in it. */
export function definitionOf(type: Ros1Type): MessageDefinition[] {
  return parse(definitionText(type));
}
