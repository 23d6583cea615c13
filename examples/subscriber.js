// Subscribes to the depth topic from another process and prints the nearest depth of the newest frame.
//
//   node examples/subscriber.js tcp://127.0.0.1:5556

import { isValidDepth, subscribeDepth } from 'depthline';

const endpoint = process.argv[2] ?? 'tcp://127.0.0.1:5556';
const count = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);

let seen = 0;
for await (const frame of subscribeDepth(endpoint, { latest: true })) {
  if (frame.kind !== 'depth') continue;
  let nearest = Number.POSITIVE_INFINITY;
  for (const metres of frame.data) if (isValidDepth(metres) && metres < nearest) nearest = metres;
  // A model that is not calibrated says what is farther, but not how far.
  const unit = frame.unit === 'relative' ? '(relative)' : 'm';
  console.log(`frame ${frame.seq}: nearest ${nearest.toFixed(2)} ${unit}`);
  if (++seen >= count) break;
}
