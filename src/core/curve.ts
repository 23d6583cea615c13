import { z } from 'zod';

const key = () => z.string().length(40).describe('CURVE key in Z85, 40 characters');

/** CURVE options of a socket that others connect to: it proves itself by its key pair. */
export const curveServerSchema = z
  .strictObject({
    'secret-key': key(),
    'public-key': key().optional().describe('only for people to read; clients need it'),
  })
  .describe('encrypt, and prove who publishes: key pair of this end (best from the environment)');

/** CURVE options of a socket that connects: it knows the other's public key. */
export const curveClientSchema = z
  .strictObject({ 'server-key': key(), 'public-key': key(), 'secret-key': key() })
  .describe("encrypt: the publisher's public key and this end's own pair");
