/**
 * Tries a launch line in a process of its own. Arguments: `parse` or `run`, and the line. Prints
 * `works`, or GStreamer's reason as JSON.
 */
import { readFileSync, writeSync } from 'node:fs';
import { reason } from '../core/errors.ts';
import { loadGStreamer } from './binding.ts';

const mode = process.argv[2];
// The line comes over stdin: it may hold a password, and `ps` shows arguments to everyone.
const line = readFileSync(0, 'utf8');

function finish(result: string) {
  writeSync(1, `${result}\n`);
  // GStreamer's threads are not joined at exit, so only SIGKILL ends the process without a hang.
  process.kill(process.pid, 'SIGKILL');
}

try {
  const pipeline = new (loadGStreamer().Pipeline)(line);
  if (mode === 'parse') finish('works');
  pipeline.pollBus((message) => {
    if (message.type === 'eos') finish('works');
    if (message.type === 'error') finish(JSON.stringify(message));
  });
  pipeline.play();
} catch (error) {
  finish(JSON.stringify({ message: reason(error) }));
}
