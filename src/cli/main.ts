import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageDirectory } from '../core/entry-point.ts';
import { benchCommand } from './bench.ts';
import { benchLayersCommand } from './bench-layers.ts';
import { checkCommand } from './check.ts';
import { describeCommand } from './describe.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { listCommand } from './list.ts';
import { planCommand } from './plan.ts';
import { report } from './report-error.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { subscribeCommand } from './subscribe.ts';
import { testCommand } from './test-timing.ts';
import { tuneCommand } from './tune.ts';

/** The `depthline` command. Sets the exit code: 0 done, 1 failed while running, 2 wrong usage. */
export async function runCli(argv: readonly string[]): Promise<void> {
  // A reader that goes away (`depthline … | head`) is no error of ours: the command ends in order.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!process.emit('SIGPIPE', 'SIGPIPE')) process.exit(0);
  });
  try {
    await program().parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function program(): Command {
  const { version } = JSON.parse(
    readFileSync(join(packageDirectory(), 'package.json'), 'utf8'),
  ) as { version: string };
  const command = new Command('depthline')
    .description('Real-time monocular depth pipelines')
    .version(version);
  const commands = [
    runCommand(),
    checkCommand(),
    testCommand(),
    planCommand(),
    listCommand(),
    describeCommand(),
    schemaCommand(),
    subscribeCommand(),
    evalCommand(),
    benchCommand(),
    benchLayersCommand(),
    tuneCommand(),
    doctorCommand(),
  ];
  for (const sub of commands) command.addCommand(sub);
  for (const one of [command, ...commands]) one.exitOverride().showHelpAfterError(false);
  return command;
}
