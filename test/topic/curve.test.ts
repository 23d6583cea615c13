import { expect, it } from 'vitest';
import { z85 } from '../../src/topic/curve.ts';

it('encodes the example of ZeroMQ RFC 32', () => {
  const bytes = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(z85(bytes)).toBe('HelloWorld');
});
