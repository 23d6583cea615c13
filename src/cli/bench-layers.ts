import { Command } from 'commander';
import { positive, positiveWhole } from './arguments.ts';
import { printError, printJson } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { requireWritable, writeResult } from './write-result.ts';

/** Written into every table; only a file that has it is replaced. */
const generator = 'depthline bench-layers';

interface Flags {
  readonly out?: string;
  readonly threads: number;
  readonly rounds: number;
  readonly roundMs: number;
}

export function benchLayersCommand(): Command {
  return new Command('bench-layers')
    .description('measure the latency of the layers of a network, for NetAdapt pruning')
    .argument('<folder>', 'folder written by training/latency.py')
    .option('--out <file>', 'write the JSON to this file instead of standard output')
    .option('--threads <n>', 'threads per layer', positiveWhole, 1)
    .option('--rounds <n>', 'number of measurements of each layer', positiveWhole, 5)
    .option('--round-ms <milliseconds>', 'duration of each measurement', positive, 30)
    .action(benchLayers);
}

async function benchLayers(folder: string, flags: Flags): Promise<void> {
  const { measureLayers, readLayers } = await import('../inference/layer-times.ts');
  const { out, ...options } = flags;
  await requireWritable(out, generator);
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
