/**
 * Tries a launch line in a process of its own. Arguments: `parse` or `run`, and the line. Prints
 * `works`, or GStreamer's reason as JSON.
 */
import { readFileSync, writeSync } from 'node:fs';
import { reason } from '../../core/errors.ts';
import { loadGStreamer } from '../binding.ts';

const mode = process.argv[2];
// The line comes over stdin: it may hold a password, and `ps` shows arguments to everyone.
const line = readFileSync(0, 'utf8');

function finish(result: string) {
  writeSync(1, `${result}\n`);
  // GStreamer's threads are not joined at exit, so only SIGKILL ends the process without a hang.
  process.kill(process.pid, 'SIGKILL');
}

function parseError(text: string): string | undefined {
  try {
    new (loadGStreamer().Pipeline)(text);
    return undefined;
  } catch (error) {
    return reason(error);
  }
}

/** GStreamer does not say where a syntax error is: it is behind the longest part that parses. */
function locate(): string {
  const parts = line.split('!');
  for (let n = parts.length - 1; n > 0; n--) {
    const good = parts.slice(0, n);
    if (parseError(`${good.join('!')} ! fakesink`)?.includes('syntax error')) continue;
    return `syntax error behind "${good.at(-1)?.trim()}"`;
  }
  return `syntax error in "${parts[0]?.trim()}"`;
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
  const message = reason(error);
  finish(JSON.stringify({ message: message.includes('syntax error') ? locate() : message }));
}
