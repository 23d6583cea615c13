import { Command } from 'commander';
import { pipelineFileSchema } from '../pipeline/json-schema.ts';
import { printJson } from './output.ts';
import { componentsWith, useOption } from './use-option.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of pipeline files, for editors')
    .addOption(useOption())
    .action(async ({ use }: { use: readonly string[] }) => {
      printJson(pipelineFileSchema(await componentsWith(use)), 2);
    });
}
