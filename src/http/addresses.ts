import { networkInterfaces } from 'node:os';

const everywhere = /^(0\.0\.0\.0|\[::\])$/;

/**
 * The addresses at which others reach a server, instead of "every network": those of this machine's
 * interfaces, without those that only this machine or its cable neighbours know.
 *
 * @param address `http://0.0.0.0:8080/`
 */
export function reachableAddresses(address: string): string[] {
  const url = new URL(address);
  if (!everywhere.test(url.hostname)) return [address];
  const found = Object.values(networkInterfaces())
    .flatMap((interfaces) => interfaces ?? [])
    .filter(({ internal, address: own }) => !internal && !own.startsWith('fe80'))
    .filter(({ family }) => family === 'IPv4' || url.hostname === '[::]')
    .map(({ family, address: own }) => (family === 'IPv6' ? `[${own}]` : own));
  const hosts = found.length > 0 ? found : ['127.0.0.1'];
  return hosts.map((host) => `http://${host}:${url.port || 80}/`);
}
