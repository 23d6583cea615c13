import { z } from 'zod';

/** The `port` option of a server. @param what it serves */
export function listenPort(port: number, what: string) {
  return z
    .int()
    .min(0)
    .max(65_535)
    .default(port)
    .describe(`port ${what}; 0: the system chooses a free one`);
}

/** The `host` option of a server. */
export function listenHost() {
  return z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe(
      'address to listen on; default: only this machine can connect; 0.0.0.0: every network',
    );
}
