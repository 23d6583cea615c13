/** Tries a launch line in a process of its own. Prints `works`, or GStreamer's reason as JSON. */
import { readFileSync, writeSync } from 'node:fs';
import { reason } from '../../core/errors.ts';
import { loadGStreamer } from '../binding.ts';
import { die } from '../host-process.ts';

const line = readFileSync(0, 'utf8');

function finish(result: string) {
  writeSync(1, `${result}\n`);
  die();
}

try {
  const pipeline = new (loadGStreamer().Pipeline)(line);
  pipeline.pollBus((message) => {
    if (message.type === 'eos') finish('works');
    if (message.type === 'error') finish(JSON.stringify(message));
  });
  pipeline.play();
} catch (error) {
  finish(JSON.stringify({ message: reason(error) }));
}
