import { Command } from 'commander';
import { builtins } from '../builtins.ts';
import { DepthlineError } from '../core/errors.ts';
import { ofOneSource } from '../pipeline/cameras.ts';
import { formatProblems, loadPipelineFile } from '../pipeline/pipeline-file.ts';
import { type Failure, runTimingTest, type TestResult } from '../runtime/run-timing-test.ts';
import { setOption } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { print, printJson } from './output.ts';

export function testCommand(): Command {
  return new Command('test')
    .description('run the timing tests of pipeline files in virtual time')
    .argument('<name-or-file...>', 'names of pipelines with "tests:", or paths of .yaml files')
    .addOption(setOption())
    .option('--json', 'print the results as JSON')
    .action(test);
}

async function test(
  names: readonly string[],
  { set = [], json }: { set?: readonly string[]; json?: true },
): Promise<void> {
  const results: (TestResult & { pipeline: string })[] = [];
  for (const name of names) {
    const file = findPipeline(name);
    // The components are simulated: what they need may be missing on this machine.
    const options = { registry: builtins, set, checks: 'none' } as const;
    const { pipeline, cameras, tests, problems } = await loadPipelineFile(file, options);
    if (cameras) ofOneSource(cameras, file);
    if (!pipeline) throw new DepthlineError('CONFIG', formatProblems(problems));
    if (tests.length === 0) {
      const message = `${file} has no "tests"; docs/pipelines.md shows how to write them`;
      throw new DepthlineError('CONFIG', message);
    }
    for (const one of tests) {
      results.push({ pipeline: pipeline.name, ...(await runTimingTest(pipeline, one)) });
    }
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  if (json) printJson(results, 2);
  else {
    for (const result of results) print(line(result));
    print(`${results.length} tests, ${failed} failed`);
  }
  if (failed > 0) process.exitCode = 1;
}

function line({ pipeline, name, failures }: TestResult & { pipeline: string }): string {
  const verdict = failures.length === 0 ? 'ok    ' : 'FAILED';
  return [`${verdict}  ${pipeline}: ${name}`, ...failures.map(difference)].join('\n');
}

function difference({ sink, figure, expected, actual }: Failure): string {
  const isTime = figure.startsWith('age');
  const value =
    actual === undefined ? 'nothing delivered' : `${round(actual)}${isTime ? 'ms' : ''}`;
  return `        ${sink} ${figure}: expected ${expected}, actual ${value}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
