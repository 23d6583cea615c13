import { dirname, relative } from 'node:path';
import { Command } from 'commander';
import { DepthlineError } from '../core/errors.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { sinkError } from '../files/write-problem.ts';
import { requireFile } from './named-input.ts';
import { print, printError } from './output.ts';

export function recoverCommand(): Command {
  return new Command('recover')
    .description('write what can be read of an MCAP file that was cut off to a new, whole one')
    .argument('<file>', 'the file; it stays as it is')
    .option(
      '--output <file.mcap>',
      'the new file; it gets a number if there is such a file (default: NAME.recovered.mcap)',
    )
    .action(run);
}

/** Damaged chunks that are listed. */
const mostReported = 10;

async function run(file: string, { output }: { output?: string }): Promise<void> {
  const path = resolvePath(process.cwd(), file);
  if (output !== undefined && !/[^/]\.mcap$/.test(output))
    throw new DepthlineError('CONFIG', '--output must end in .mcap');
  await requireFile(file);
  const target =
    output === undefined
      ? `${path.replace(/(\.recording)?\.mcap$/, '')}.recovered.mcap`
      : resolvePath(process.cwd(), output);
  const { recover } = await import('../mcap/recover.ts');
  const recovered = await recover(path, target).catch((error: unknown) => {
    throw sinkError(dirname(target), error);
  });
  if (!recovered) {
    print(`${file} is whole; there is nothing to recover`);
    return;
  }
  const { messages, damage } = recovered;
  for (const problem of damage.slice(0, mostReported)) printError(`warning: ${problem}`);
  if (damage.length > mostReported)
    printError(`warning: ${damage.length - mostReported} more chunks are damaged`);
  print(`${messages} messages of ${file} are in ${relative(process.cwd(), recovered.path)}`);
}
