import { MessageChannel } from 'node:worker_threads';

/** A message to a port whose other side is closed goes nowhere, with what is transferred in it. */
const { port1: nowhere, port2: closed } = new MessageChannel();
closed.close();

/**
 * Frees the memory of a buffer that nobody looks at any more, so that the next one gets the same, still
 * warm in the processor's caches. In a thread that makes little other garbage, the garbage collector lets
 * tens of megabytes of them gather.
 */
export function freeNow(buffer: ArrayBuffer): void {
  nowhere.postMessage(undefined, [buffer]);
}
