import { z } from 'zod';

const digits =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

// ZeroMQ reports a wrong key as "Invalid argument", and one on a list admits nobody.
const key = () =>
  z
    .string()
    .refine((text) => text.length === 40 && [...text].every((one) => digits.includes(one)), {
      error: 'is not a CURVE key: 40 characters of Z85, as zmq.curve_keypair() makes them',
    })
    .describe('CURVE key in Z85, 40 characters');

/** CURVE options of a socket that others connect to. */
export const curveServerSchema = z
  .strictObject({
    'secret-key': key(),
    'public-key': key().optional().describe('informative: the key that clients need'),
    allow: z
      .array(key())
      .min(1)
      .optional()
      .describe(
        'public keys of the clients that may connect; default: all that know our public key',
      ),
  })
  .describe(
    'encrypt and authenticate the publisher: key pair of this end (take it from the environment)',
  );

/** CURVE options of a socket that connects. */
export const curveClientSchema = z
  .strictObject({ 'server-key': key(), 'public-key': key(), 'secret-key': key() })
  .describe("encrypt: the publisher's public key and this end's own pair");

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
