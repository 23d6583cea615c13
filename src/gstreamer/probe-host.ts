/** Runs the launch line given as its argument and prints `works` if it gets to its end. */
import { writeSync } from 'node:fs';
import { loadGStreamer } from './binding.ts';

const { Pipeline } = loadGStreamer();
const pipeline = new Pipeline(process.argv[2] ?? '');
pipeline.pollBus((message) => {
  if (message.type !== 'eos' && message.type !== 'error') return;
  if (message.type === 'eos') writeSync(1, 'works\n');
  // GStreamer's threads are not joined at exit, so only SIGKILL ends the process without a hang.
  process.kill(process.pid, 'SIGKILL');
});
pipeline.play();
