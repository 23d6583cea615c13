import { expect, it } from 'vitest';
import { curveKeyPair } from 'zeromq';
import { curveClientSchema, curveServerSchema, z85 } from '../../src/topic/curve.ts';

it('encodes the example of ZeroMQ RFC 32', () => {
  const bytes = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(z85(bytes)).toBe('HelloWorld');
});

it('takes the keys that ZeroMQ makes', () => {
  for (let i = 0; i < 20; i++) {
    const { publicKey, secretKey } = curveKeyPair();
    const keys = { 'public-key': publicKey, 'secret-key': secretKey };
    expect(curveServerSchema.parse({ ...keys, allow: [publicKey] })).toMatchObject(keys);
    expect(curveClientSchema.parse({ ...keys, 'server-key': publicKey })).toMatchObject(keys);
  }
});

it.each([
  ['too short', 'a'.repeat(39)],
  ['too long', 'a'.repeat(41)],
  ['of other characters', `${'a'.repeat(39)}"`],
  ['of characters of several units', '😀'.repeat(20)],
  ['empty', ''],
])('refuses a key that is %s, without showing it', (_, key) => {
  const good = curveKeyPair().publicKey;
  for (const keys of [{ 'secret-key': key }, { 'secret-key': good, allow: [good, key] }]) {
    const messages = curveServerSchema.safeParse(keys).error?.issues.map(({ message }) => message);
    expect(messages).toEqual([
      'is not a CURVE key: 40 characters of Z85, as zmq.curve_keypair() makes them',
    ]);
  }
});
