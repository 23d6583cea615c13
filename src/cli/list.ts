import { Command } from 'commander';
import { builtins } from '../builtins.ts';
import type { Role } from '../core/component.ts';
import { modelNames } from '../inference/model-files.ts';
import { loadPipelineFile } from '../pipeline/pipeline-file.ts';
import { namedPipelines } from './find-pipeline.ts';
import { print, printJson } from './output.ts';
import { componentsWith, useOption } from './use-option.ts';

const roles: readonly Role[] = ['source', 'operator', 'sink'];

export function listCommand(): Command {
  return new Command('list')
    .description('list components, named pipelines and models')
    .option('--json', 'print as JSON')
    .addOption(useOption())
    .action(async ({ json, use }: { json?: true; use: readonly string[] }) => {
      const registry = await componentsWith(use);
      const pipelines = await Promise.all(
        [...namedPipelines()].map(async ([name, file]) => {
          const loaded = await loadPipelineFile(file, { registry: builtins, checks: 'none' });
          const pipeline = loaded.cameras ?? loaded.pipeline;
          return {
            name,
            file,
            summary: pipeline?.description ?? 'has problems; run "depthline check"',
          };
        }),
      );
      const components = registry
        .list()
        .map(({ role, name, summary }) => ({ role, name, summary }));
      const models = await modelNames(process.cwd());
      if (json) {
        printJson({ components, pipelines, models }, 2);
        return;
      }
      for (const role of roles)
        printList(
          `${role}s`,
          components.filter((one) => one.role === role),
        );
      printList('pipelines', pipelines);
      print(`models\n  ${models.join('\n  ')}`);
    });
}

function printList(title: string, items: readonly { name: string; summary: string }[]): void {
  const width = Math.max(...items.map((item) => item.name.length));
  print(title);
  for (const { name, summary } of items) print(`  ${name.padEnd(width)}  ${summary}`);
  print('');
}
