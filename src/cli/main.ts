import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageDirectory } from '../core/entry-point.ts';
import { visible } from '../core/printable.ts';
import { benchCommand } from './bench.ts';
import { benchLayersCommand } from './bench-layers.ts';
import { checkCommand } from './check.ts';
import { describeCommand } from './describe.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { listCommand } from './list.ts';
import { watchStreams } from './output.ts';
import { planCommand } from './plan.ts';
import { report } from './report-error.ts';
import { runCommand } from './run.ts';
import { schemaCommand } from './schema.ts';
import { subscribeCommand } from './subscribe.ts';
import { testCommand } from './test-timing.ts';
import { tuneCommand } from './tune.ts';

/**
 * The `depthline` command. Sets the exit code: 0 done, 1 failed while running, 2 wrong usage.
 *
 * @param onSignals called when a command handles signals itself; until then its caller does
 */
export async function runCli(
  argv: readonly string[],
  onSignals: () => void = () => {},
): Promise<void> {
  watchStreams();
  try {
    await program(onSignals).parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function program(onSignals: () => void): Command {
  const { version } = JSON.parse(
    readFileSync(join(packageDirectory(), 'package.json'), 'utf8'),
  ) as { version: string };
  const command = new Command('depthline')
    .description('Real-time monocular depth pipelines')
    .version(version);
  const commands = [
    runCommand(onSignals),
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
  for (const one of [command, ...commands]) {
    one
      .exitOverride()
      .showHelpAfterError(false)
      .configureOutput({
        writeOut: (text) => process.stdout.write(visible(text)),
        writeErr: (text) => process.stderr.write(visible(text)),
      });
  }
  return command;
}
