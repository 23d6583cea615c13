import { Command } from 'commander';
import { measureLayers, readLayers } from '../inference/layer-times.ts';
import { positive, positiveWhole } from './arguments.ts';
import { printError, printJson } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { writeResult } from './write-result.ts';

/** Stands in every table, so that a later one may replace it. */
const generator = 'depthline bench-layers';

interface Flags {
  readonly out?: string;
  readonly threads: number;
  readonly rounds: number;
  readonly roundMs: number;
}

export function benchLayersCommand(): Command {
  return new Command('bench-layers')
    .description('time the layers of a network on this machine, for NetAdapt pruning')
    .argument('<folder>', 'that training/latency.py wrote')
    .option('--out <file>', 'write the JSON there instead of printing it')
    .option('--threads <n>', 'that a layer uses', positiveWhole, 1)
    .option('--rounds <n>', 'in which every layer is measured', positiveWhole, 5)
    .option('--round-ms <milliseconds>', 'for which it runs in each', positive, 30)
    .action(benchLayers);
}

async function benchLayers(folder: string, flags: Flags): Promise<void> {
  const { out, ...options } = flags;
  const layers = await readLayers(folder);
  const bar = progressBar(layers.length * flags.rounds, 'layers', true);
  try {
    const times = await measureLayers(folder, layers, {
      ...options,
      onLayer: () => bar?.increment(),
    });
    bar?.stop();
    if (out === undefined) printJson({ generator, ...times }, 1);
    else {
      await writeResult(out, `${JSON.stringify({ generator, ...times }, null, 1)}\n`, generator);
      printError(`latency table: ${out}`);
    }
  } finally {
    bar?.stop();
  }
}
