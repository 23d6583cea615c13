import { z } from 'zod';
import { positiveDuration } from '../core/units.ts';
import { urlParts } from '../core/url-parts.ts';

const schemes = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/** A topic to publish on: no wildcards, no empty level. */
export function publishedTopic() {
  return z
    .string()
    .min(1)
    .max(200)
    .refine((topic) => !/[+#\0]/.test(topic), {
      error: 'contains "+" or "#", which are for subscriptions',
    })
    .refine((topic) => !topic.startsWith('$'), {
      error: 'begins with "$", which is the broker’s own',
    })
    .refine((topic) => topic.split('/').every((level) => level !== ''), {
      error: 'has an empty level: write it without "/" at its ends',
    });
}

/** How a client finds its broker and says who it is. */
export const brokerOptions = {
  url: z
    .string()
    .max(2000)
    .refine((text) => schemes.includes(protocolOf(text)), {
      error:
        'is not the address of an MQTT broker: mqtt://host:1883, mqtts://host:8883, ws://… or wss://…',
    })
    .describe(
      'the broker: mqtt://host:1883; mqtts://host:8883 encrypts; ws:// and wss:// are WebSockets',
    ),
  username: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe('user name, if the broker asks for one'),
  password: z.string().max(1000).optional().describe('password; take it from the environment'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file of the authority that signed the broker’s certificate'),
  'client-id': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('name of this client, which no other may have; default: a random one'),
  'connect-within': positiveDuration()
    .prefault('5s')
    .describe(
      'longest wait for the broker when the run starts; later it is waited for without end',
    ),
};

const schema = z.strictObject(brokerOptions);
export type BrokerOptions = z.output<typeof schema>;

function protocolOf(text: string): string {
  return URL.canParse(text) && new URL(text).hostname !== '' ? new URL(text).protocol : '';
}

/** What is valid, but sends the password as it is. */
export function brokerWarnings({ url, password }: BrokerOptions): string[] {
  const open = ['mqtt:', 'ws:'].includes(protocolOf(url));
  const { hostname } = new URL(url);
  const near = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (!open || near || (password === undefined && urlParts(url).password === '')) return [];
  return [`sends its password to ${hostname} unencrypted: use mqtts:// or wss://`];
}
