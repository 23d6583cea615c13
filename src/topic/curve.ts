import { z } from 'zod';

const key = () => z.string().length(40).describe('CURVE key in Z85, 40 characters');

/** CURVE options of a socket that others connect to: it proves itself by its key pair. */
export const curveServerSchema = z
  .strictObject({
    'secret-key': key(),
    'public-key': key().optional().describe('only for people to read; clients need it'),
    allow: z
      .array(key())
      .min(1)
      .optional()
      .describe('public keys of the clients that may connect; default: all that know ours'),
  })
  .describe('encrypt, and prove who publishes: key pair of this end (best from the environment)');

/** CURVE options of a socket that connects: it knows the other's public key. */
export const curveClientSchema = z
  .strictObject({ 'server-key': key(), 'public-key': key(), 'secret-key': key() })
  .describe("encrypt: the publisher's public key and this end's own pair");

const digits =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

/** Bytes, a multiple of four, as text (Z85, ZeroMQ RFC 32). */
export function z85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getUint32(at);
    for (const place of [85 ** 4, 85 ** 3, 85 ** 2, 85, 1]) {
      text += digits[Math.floor(word / place) % 85];
    }
  }
  return text;
}
