import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { visible } from '../core/printable.ts';
import type { HangWatchSetup, StageName } from './hang-watch.ts';
import { logText } from './output.ts';

const { state, everyMs, json } = workerData as HangWatchSetup;
const shared = new Int32Array(state);
const names = new Map<number, string>();
parentPort?.on('message', ({ number, name }: StageName) => names.set(number, name));

/** Checks without progress before the first warning, and between warnings. */
const firstAfter = 6;
const againAfter = 20;

let last = -1;
// Checks are counted, not time, which goes on while the process is suspended.
let quiet = 0;
setInterval(() => {
  const now = Atomics.load(shared, 0);
  quiet = now === last ? quiet + 1 : 0;
  last = now;
  if (quiet < firstAfter || (quiet - firstAfter) % againAfter !== 0) return;
  const stage = names.get(Atomics.load(shared, 1));
  const where = stage === undefined ? 'outside every stage' : `in "${visible(stage)}"`;
  const seconds = Math.round((quiet * everyMs) / 1000);
  const message = `the main thread has been busy for ${seconds} s ${where}; no other stage can run (Ctrl-\\ ends the process)`;
  const fields = stage === undefined ? {} : { stage };
  // process.stderr of a worker goes through the main thread, which is busy.
  writeSync(2, json ? `${logText('warn', message, fields)}\n` : `\nwarning: ${message}\n`);
}, everyMs);
