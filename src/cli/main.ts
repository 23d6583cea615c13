import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageDirectory } from '../core/entry-point.ts';
import { visible } from '../core/printable.ts';
import { noteSecrets } from '../core/secrets.ts';
import { watchStreams } from './output.ts';
import { report } from './report-error.ts';

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
    await (await program(argv[2], onSignals)).parseAsync(argv);
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
  depthline run usb-live --record run.mcap         record what the camera gave
  depthline replay run.mcap --pipeline my.yaml     run a pipeline on a recording
  depthline check my.yaml                          every problem, with line and column
  depthline describe smooth                        options of a component
  depthline cameras                                cameras, their modes and rates
  depthline subscribe tcp://127.0.0.1:5556         read the depth topic

Exit codes: 0 success, 1 failure while running, 2 invalid usage or configuration,
130 interrupted twice.`;

/** Every command, by group. Only the one that is called is loaded, which takes most of its start. */
const groups: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  'Pipelines:': {
    run: async (onSignals) => (await import('./run.ts')).runCommand(onSignals),
    replay: async (onSignals) => (await import('./replay.ts')).replayCommand(onSignals),
    check: async () => (await import('./check.ts')).checkCommand(),
    plan: async () => (await import('./plan.ts')).planCommand(),
    test: async () => (await import('./test-timing.ts')).testCommand(),
  },
  'Reference:': {
    list: async () => (await import('./list.ts')).listCommand(),
    describe: async () => (await import('./describe.ts')).describeCommand(),
    schema: async () => (await import('./schema.ts')).schemaCommand(),
  },
  'Depth topic:': {
    subscribe: async () => (await import('./subscribe.ts')).subscribeCommand(),
  },
  'Recordings:': {
    recover: async () => (await import('./recover.ts')).recoverCommand(),
  },
  'Models:': {
    models: async () => (await import('./models.ts')).modelsCommand(),
    calibrate: async () => (await import('./calibrate.ts')).calibrateCommand(),
  },
  'Measurements:': {
    eval: async () => (await import('./eval.ts')).evalCommand(),
    bench: async () => (await import('./bench.ts')).benchCommand(),
    tune: async () => (await import('./tune.ts')).tuneCommand(),
    'bench-layers': async () => (await import('./bench-layers.ts')).benchLayersCommand(),
  },
  'Help:': {
    cameras: async () => (await import('./cameras.ts')).camerasCommand(),
    doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  },
};

type Load = (onSignals: () => void) => Promise<Command>;

/** The command that is called; all of them if it is none of them, for help and advice. */
async function load(called: string | undefined, onSignals: () => void): Promise<Command[]> {
  const all = Object.entries(groups).flatMap(([group, members]) =>
    Object.entries(members).map(([name, command]) => ({ group, name, command })),
  );
  const wanted = all.filter(({ name }) => name === called);
  return Promise.all(
    (wanted.length > 0 ? wanted : all).map(async ({ group, command }) =>
      (await command(onSignals)).helpGroup(group),
    ),
  );
}

async function program(called: string | undefined, onSignals: () => void): Promise<Command> {
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
  const loaded = await load(called, onSignals);
  for (const one of loaded) command.addCommand(one);
  const commands = loaded.flatMap((one) => [one, ...one.commands]);
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
