import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { table } from '../src/cli/table.ts';
import { memoryMiB } from '../src/device/processes.ts';
import {
  builtins,
  imbalance,
  loadPipelineFile,
  type Pipeline,
  type RunSummary,
} from '../src/index.ts';
import { Supervisor } from '../src/runtime/supervisor.ts';

const command = new Command('soak reload')
  .option('--reloads <n>', 'changes while it runs', Number, 2000)
  .option('--restarts <n>', 'restarts in the same process', Number, 40)
  .parse();
const { reloads, restarts } = command.opts<{ reloads: number; restarts: number }>();

const folder = mkdtempSync(join(tmpdir(), 'depthline-soak-'));
const file = join(folder, 'p.yaml');
const methods = ['ema', 'median', 'motion'];

/** Writes the file as somebody edits it, and reads it as a reload does. */
async function edited(n: number, fps = 30): Promise<Pipeline> {
  writeFileSync(
    file,
    `source:
  test-pattern: { width: 224, height: 224, fps: ${fps}, realtime: true }
operators:
  - estimate-depth: { tuned: "off" }
    queue: { limit: ${1 + (n % 3)}, when-full: ${n % 2 ? 'block' : 'drop-oldest'} }
  - smooth: { method: ${methods[n % methods.length]} }
sinks:
  - discard
`,
  );
  const { pipeline, problems } = await loadPipelineFile(file, { registry: builtins });
  if (!pipeline) throw new Error(JSON.stringify(problems));
  return pipeline;
}

const rows: string[][] = [];
function note(what: string): void {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const used = ((heapUsed + external) / 2 ** 20).toFixed(1);
  const descriptors = readdirSync('/proc/self/fd').length;
  rows.push([what, used, memoryMiB([process.pid]).toFixed(0), String(descriptors)]);
}

const summaries: RunSummary[] = [];
const supervisor = await Supervisor.start(await edited(0), {
  onReplaced: (summary) => summaries.push(summary),
});
const results = new Map<string, number>();
const took: number[] = [];
async function replace(pipeline: () => Promise<Pipeline>, restart: boolean): Promise<void> {
  const before = performance.now();
  const { result } = await supervisor.replace(await pipeline(), { restart });
  if (!restart) took.push(performance.now() - before);
  results.set(result, (results.get(result) ?? 0) + 1);
  const next = await supervisor.run?.nextFrame(AbortSignal.timeout(10_000));
  if (!next) throw new Error('no frame comes any more');
}
note('start');
for (let n = 1; n <= reloads; n++) {
  await replace(() => edited(n), false);
  if (n % Math.ceil(reloads / 4) === 0) note(`${n} reloads`);
}
for (let n = 1; n <= restarts; n++) {
  await replace(() => edited(reloads, 30 - (n % 2)), true);
  if (n % Math.ceil(restarts / 4) === 0) note(`${n} restarts`);
}
supervisor.run?.stop();
summaries.push(await supervisor.done);
rmSync(folder, { recursive: true });

const off = summaries.flatMap(({ branches }) => branches.map(imbalance)).filter((n) => n !== 0);
const captured = summaries.reduce((sum, one) => sum + one.captured, 0);
const median = took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)] ?? Number.NaN;
console.log(table([['', 'MiB in use', 'MiB held', 'descriptors'], ...rows]));
console.log(`\n${[...results].map(([result, n]) => `${n} ${result}`).join(', ')}`);
console.log(`a change takes ${median.toFixed(1)} ms in the median, with reading the file`);
console.log(
  `${captured} frames in ${summaries.length} runs; ledgers that do not balance: ${off.length}`,
);
process.exit(off.length === 0 ? 0 : 1);
