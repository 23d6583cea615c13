import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { visible } from '../core/printable.ts';
import type { HangWatchSetup, StageName } from './hang-watch.ts';

const { state, everyMs } = workerData as HangWatchSetup;
const shared = new Int32Array(state);
const names = new Map<number, string>();
parentPort?.on('message', ({ number, name }: StageName) => names.set(number, name));

/** Looks without a sign of life before it is said, and before it is said again. */
const firstAfter = 6;
const againAfter = 20;

let last = -1;
// Looks, not time: a process that was suspended has slept through both.
let quiet = 0;
setInterval(() => {
  const now = Atomics.load(shared, 0);
  quiet = now === last ? quiet + 1 : 0;
  last = now;
  if (quiet < firstAfter || (quiet - firstAfter) % againAfter !== 0) return;
  const stage = names.get(Atomics.load(shared, 1));
  const where = stage === undefined ? 'outside of any stage' : `in "${visible(stage)}"`;
  const seconds = Math.round((quiet * everyMs) / 1000);
  // The main thread would have to pass on what goes through process.stderr.
  writeSync(
    2,
    `\nwarning: the main thread has been busy for ${seconds} s ${where}; nothing else runs meanwhile (Ctrl-\\ ends the process)\n`,
  );
}, everyMs);
