import { measured } from '../src/benchmark/statistics.ts';
import type { DepthMap } from '../src/core/frame.ts';
import { maskEdges } from '../src/depth/edge-mask.ts';
import { HoleFiller } from '../src/depth/fill-holes.ts';
import { scaleNearest } from '../src/depth/geometry.ts';
import { filterSpatially } from '../src/depth/spatial-filter.ts';
import { SpatialThread } from '../src/filtering/spatial-thread.ts';
import type { Bench } from './support/bench.ts';
import { rooms } from './support/rooms.ts';

const options = { alpha: 0.5, delta: 0.04, iterations: 2 };

const sizes = [
  { width: 224, height: 224 },
  { width: 1280, height: 720 },
];

/** What the filters of single frames cost, on the true depth of rooms with one pixel in a hundred missing. */
export const filters: Bench = {
  name: 'filters',
  summary: 'CPU time of spatial, fill-holes and mask-edges',
  async run({ rounds }, print) {
    const shoot = rooms();
    const maps = Array.from({ length: rounds }, (_, round) => shoot(round).truth as DepthMap);
    const thread = new SpatialThread();
    for (const size of sizes) {
      const filler = new HoleFiller(100, 'smooth');
      const runs: Readonly<Record<string, (map: DepthMap) => void>> = {
        spatial: (map) => filterSpatially(map, options),
        'fill-holes': (map) => filler.fill(map),
        'mask-edges': (map) => maskEdges(map, 0.05),
      };
      const scaled = maps.map((map) => withHoles(scaleNearest(map, size)));
      for (const [name, run] of Object.entries(runs)) {
        const times = scaled.map((map) => cpuMs(() => run(map)));
        print(`${name}, ${size.width}×${size.height}`, 'ms/frame', measured(times));
      }
      const blocked: number[] = [];
      for (const map of scaled) blocked.push(await mainThreadMs(thread, map));
      const what = `spatial, ${size.width}×${size.height}, of it on the main thread`;
      print(what, 'ms/frame', measured(blocked));
    }
    await thread.close();
  },
};

function withHoles({ width, height, data }: DepthMap): DepthMap {
  return { width, height, data: data.map((metres, i) => (i % 101 === 0 ? 0 : metres)) };
}

/** Time that the main thread is busy while the frame is smoothed in the operator's own thread. */
async function mainThreadMs(thread: SpatialThread, map: DepthMap): Promise<number> {
  const runs = 10;
  await thread.run(map, options);
  const before = performance.eventLoopUtilization();
  for (let i = 0; i < runs; i++) await thread.run(map, options);
  return performance.eventLoopUtilization(before).active / runs;
}

/** Mean of a few runs behind one that compiles the code. */
function cpuMs(run: () => void): number {
  const runs = 10;
  run();
  const before = process.cpuUsage();
  for (let i = 0; i < runs; i++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
}
