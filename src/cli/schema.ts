import { Command } from 'commander';
import { builtins } from '../components.ts';
import { pipelineFileSchema } from '../core/json-schema.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of pipeline files, for editors')
    .action(() => {
      console.log(JSON.stringify(pipelineFileSchema(builtins), null, 2));
    });
}
