import { Command } from 'commander';
import { builtins } from '../components.ts';
import { formatProblems, loadPipelineFile } from '../core/pipeline-file.ts';
import { findPipeline } from './find-pipeline.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description('check pipeline files; every problem with its line and column')
    .argument('<file...>', 'pipeline files or names')
    .option('--json', 'print the problems as JSON')
    .action(async (names: readonly string[], { json }: { json?: true }) => {
      const results = await Promise.all(
        names.map(async (name) => {
          const file = findPipeline(name);
          return { file, ...(await loadPipelineFile(file, { registry: builtins })) };
        }),
      );
      const problems = results.flatMap((result) => result.problems);
      if (json) console.log(JSON.stringify(problems, null, 2));
      for (const { file, pipeline } of results) {
        for (const { path, sink } of pipeline?.branches ?? []) {
          const warnings = sink.definition.warnings?.(sink.options) ?? [];
          for (const warning of warnings) console.error(`${file}: ${path}: warning: ${warning}`);
        }
      }
      for (const result of json ? [] : results) {
        console.log(
          result.problems.length > 0 ? formatProblems(result.problems) : `${result.file}: ok`,
        );
      }
      if (problems.length > 0) process.exitCode = 2;
    });
}
