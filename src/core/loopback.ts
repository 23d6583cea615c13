import { BlockList, isIPv6 } from 'node:net';

const addresses = new BlockList();
addresses.addSubnet('127.0.0.0', 8, 'ipv4');
// As an IPv6 address, in every spelling; 127.0.0.1 written as one (::ffff:127.0.0.1) is above.
addresses.addAddress('::1', 'ipv6');

/** Names of this machine that are not resolved by asking the network, and the short `127.1`. */
const names = /^(localhost|ip6-localhost|ip6-loopback|lo|127(\.\d{1,3}){1,3})$/i;

/** Whether only this machine reaches a host: a name, or an address, in brackets or not. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/s, '$1').replace(/%.*$/s, '');
  return isIPv6(address) ? addresses.check(address, 'ipv6') : names.test(host);
}
