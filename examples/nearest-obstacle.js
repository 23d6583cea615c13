// A custom operator: the nearest obstacle in the left, middle and right third of the picture.
// `use: ./nearest-obstacle.js` registers it in a pipeline file (nearest-obstacle.yaml);
// nearest-obstacle-in-code.js composes a pipeline with it.

import { defineOperator, derive, isValidDepth } from 'depthline';
import { map } from 'rxjs';
import { z } from 'zod';

const zones = /** @type {const} */ (['left', 'middle', 'right']);

/** Nearest depth of a zone, metres: the 2nd percentile of its valid pixels, so that outliers do not count. */
function nearest(depth, zone) {
  const from = Math.floor((depth.width * zone) / zones.length);
  const to = Math.floor((depth.width * (zone + 1)) / zones.length);
  const values = [];
  for (let y = 0; y < depth.height; y += 2) {
    for (let x = from; x < to; x += 2) {
      const metres = depth.data[y * depth.width + x];
      if (isValidDepth(metres)) values.push(metres);
    }
  }
  values.sort((a, b) => a - b);
  return values[Math.floor(values.length / 50)] ?? null;
}

export const nearestObstacle = defineOperator({
  name: 'nearest-obstacle',
  summary: 'Distance of the nearest obstacle in the left, middle and right third of the picture.',
  accepts: ['depth'],
  emits: ['data'],
  options: z.strictObject({
    warn: z
      .number()
      .positive()
      .default(0.8)
      .describe('distance below which an obstacle is too close, metres'),
  }),
  examples: [{ warn: 0.5 }],
  create: async ({ warn }) =>
    map((frame) => {
      const metres = zones.map((_, zone) => nearest(frame, zone));
      const tooClose = zones.filter((_, zone) => metres[zone] !== null && metres[zone] < warn);
      const value = { ...Object.fromEntries(zones.map((name, i) => [name, metres[i]])), tooClose };
      return { ...derive(frame), kind: 'data', value };
    }),
});
