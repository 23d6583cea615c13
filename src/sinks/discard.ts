import { z } from 'zod';
import { defineSink } from '../core/component.ts';
import { frameKinds } from '../core/frame.ts';

/** Accepts frames and discards them; the ledger counts them as delivered. */
export const discard = defineSink({
  name: 'discard',
  summary: 'Counts frames and discards them.',
  accepts: frameKinds,
  usesPicture: () => false,
  options: z.strictObject({}),
  examples: [{}],
  create: async () => ({ write() {} }),
});
