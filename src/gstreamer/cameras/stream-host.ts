/**
 * Runs a launch line up to its first buffer and prints, as JSON, the caps that its sink `stream` received, or
 * GStreamer's error message. The line comes over stdin: it may hold a password.
 */
import { readFileSync, writeSync } from 'node:fs';
import { reason } from '../../core/errors.ts';
import { loadGStreamer } from '../binding.ts';
import { failureOf } from '../bus-failure.ts';
import { die } from '../host-process.ts';

const lookEveryMs = 20;

function finish(result: object) {
  writeSync(1, `\n${JSON.stringify(result)}\n`);
  die();
}

try {
  const pipeline = new (loadGStreamer().Pipeline)(readFileSync(0, 'utf8'));
  const sink = pipeline.findChild('stream');
  pipeline.pollBus((message) => {
    if (message.type === 'error') finish({ failure: failureOf(message) });
    if (message.type === 'eos') finish({ failure: { phase: 'run', message: 'the stream ended' } });
  });
  pipeline.play();
  setInterval(() => {
    // Before the first buffer the sample is there, with empty caps.
    const sample = sink?.['last-sample'] as { caps?: Record<string, unknown> } | null | undefined;
    if (typeof sample?.caps?.width === 'number') finish({ caps: sample.caps });
  }, lookEveryMs);
} catch (error) {
  finish({ failure: { phase: 'parse', message: reason(error) } });
}
