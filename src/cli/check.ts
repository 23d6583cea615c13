import { Command } from 'commander';
import { builtins } from '../builtins.ts';
import { formatProblems, loadPipelineFile } from '../pipeline/pipeline-file.ts';
import { allWarnings } from '../pipeline/pipeline-warnings.ts';
import { serveOptions, serveWarnings } from '../pipeline/serve-options.ts';
import { findPipeline } from './find-pipeline.ts';
import { print, printError, printJson } from './output.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description('check pipeline files; report every problem with its line and column')
    .argument('<file...>', 'names of pipelines, or paths of .yaml files')
    .option('--json', 'print the problems as JSON')
    .action(async (names: readonly string[], { json }: { json?: true }) => {
      const results = await Promise.all(
        names.map(async (name) => {
          const file = findPipeline(name);
          return {
            file,
            ...(await loadPipelineFile(file, { registry: builtins, checks: 'thorough' })),
          };
        }),
      );
      const problems = results.flatMap((result) => result.problems);
      if (json) printJson(problems, 2);
      for (const { file, pipeline, cameras, serve } of results) {
        const runs = cameras ?? pipeline;
        const served = serveOptions(undefined, serve);
        const warnings = [
          ...(runs ? allWarnings(runs) : []),
          ...(served ? serveWarnings(served).map((warning) => `serve: warning: ${warning}`) : []),
        ];
        for (const warning of warnings) printError(`${file}: ${warning}`);
      }
      for (const result of json ? [] : results) {
        print(result.problems.length > 0 ? formatProblems(result.problems) : `${result.file}: ok`);
      }
      if (problems.length > 0) process.exitCode = 2;
    });
}
