import { z } from 'zod';
import { defineSink } from '../core/component.ts';
import { frameKinds } from '../core/frame.ts';

/** Takes frames and does nothing with them; the ledger counts them all the same. */
export const discard = defineSink({
  name: 'discard',
  summary: 'Counts frames and throws them away.',
  accepts: frameKinds,
  options: z.strictObject({}),
  examples: [{}],
  create: async () => ({ write() {} }),
});
