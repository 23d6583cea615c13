import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageDirectory } from '../core/entry-point.ts';
import { visible } from '../core/printable.ts';
import { noteSecrets } from '../core/secrets.ts';
import { benchCommand } from './bench.ts';
import { benchLayersCommand } from './bench-layers.ts';
import { calibrateCommand } from './calibrate.ts';
import { checkCommand } from './check.ts';
import { describeCommand } from './describe.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { listCommand } from './list.ts';
import { modelsCommand } from './models.ts';
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
 * @param onSignals called once a command handles signals itself; until then the caller does
 */
export async function runCli(
  argv: readonly string[],
  onSignals: () => void = () => {},
): Promise<void> {
  watchStreams();
  try {
    noteSecrets(argv);
    await program(onSignals).parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

const examples = `
Examples:
  depthline list                                   components, named pipelines, models
  depthline run demo                               run a named pipeline
  depthline run my.yaml --frames 300               run a pipeline file
  depthline run video --set source.video-file.path=walk.mp4
  depthline check my.yaml                          every problem, with line and column
  depthline describe smooth                        options of a component
  depthline subscribe tcp://127.0.0.1:5556         read the depth topic

Exit codes: 0 success, 1 failure while running, 2 invalid usage or configuration,
130 interrupted twice.`;

function program(onSignals: () => void): Command {
  const { version } = JSON.parse(
    readFileSync(join(packageDirectory(), 'package.json'), 'utf8'),
  ) as { version: string };
  const command = new Command('depthline')
    .description(
      'Real-time monocular depth pipelines: camera to depth to ZeroMQ, files and display',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('print help for a command')
        .helpGroup('Help:'),
    )
    .addHelpText('after', examples);
  const groups: Record<string, Command[]> = {
    'Pipelines:': [runCommand(onSignals), checkCommand(), planCommand(), testCommand()],
    'Reference:': [listCommand(), describeCommand(), schemaCommand()],
    'Depth topic:': [subscribeCommand()],
    'Models:': [modelsCommand(), calibrateCommand()],
    'Measurements:': [evalCommand(), benchCommand(), tuneCommand(), benchLayersCommand()],
    'Help:': [doctorCommand()],
  };
  for (const [group, members] of Object.entries(groups)) {
    for (const member of members) command.addCommand(member.helpGroup(group));
  }
  const commands = Object.values(groups)
    .flat()
    .flatMap((one) => [one, ...one.commands]);
  for (const one of [command, ...commands]) {
    one
      .exitOverride()
      .helpOption('-h, --help', 'print help')
      .showHelpAfterError(`Run "${fullName(one)} --help" for usage.`)
      .configureOutput({
        writeOut: (text) => process.stdout.write(visible(text)),
        writeErr: (text) => process.stderr.write(visible(text)),
      });
  }
  return command;
}

/** `depthline models add` */
function fullName(command: Command): string {
  const { parent } = command;
  return parent ? `${fullName(parent)} ${command.name()}` : command.name();
}
