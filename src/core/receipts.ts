import type { Frame, Origin } from './frame.ts';

/** Told the branch that has delivered what became of a frame. */
export type Receipt = (branch: string) => void;

// Not in the frame itself, which is data only.
const receipts = new WeakMap<Origin, Receipt>();

/** Registers who is told when frames of this origin are delivered. */
export function expectReceipt(origin: Origin, receipt: Receipt): void {
  receipts.set(origin, receipt);
}

/** Tells whoever waits for it that a branch has delivered this frame. */
export function giveReceipt({ origin }: Frame, branch: string): void {
  if (origin) receipts.get(origin)?.(branch);
}
