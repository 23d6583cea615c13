import { expect, it } from 'vitest';
import { exposure } from '../../src/topic/exposure.ts';

it.each([
  'tcp://127.0.0.1:5556',
  'tcp://127.1.2.3:*',
  'tcp://localhost:5556',
  'tcp://lo:5556',
  'tcp://[::1]:5556',
  'tcp://[0:0:0:0:0:0:0:1]:5556',
  'tcp://[::1%lo]:5556',
  'tcp://[::ffff:127.0.0.1]:5556',
  'tcp://ip6-localhost:5556',
  'tcp://127.1:5556',
  'ws://127.0.0.1:5556',
  'ipc:///run/depth',
  'inproc://depth',
])('%s is local', (bind) => expect(exposure({ bind })).toEqual([]));

it.each([
  'tcp://*:5556',
  'tcp://0.0.0.0:5556',
  'tcp://[::]:5556',
  'tcp://[::ffff:0.0.0.0]:5556',
  'tcp://[fe80::1%lo]:5556',
  'tcp://192.168.1.7:5556',
  'tcp://eth0:5556',
  'tcp://127.example.org:5556',
  'ws://0.0.0.0:5556',
  'ws://*:5556',
])('%s is open, unless it encrypts', (bind) => {
  expect(exposure({ bind })).toEqual([expect.stringMatching(/open to the network/)]);
  expect(exposure({ bind, curve: {} })).toEqual([]);
});

it('a socket that connects is not open', () => expect(exposure({})).toEqual([]));
