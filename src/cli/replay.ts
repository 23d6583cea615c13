import { Command, Option } from 'commander';
import { builtins } from '../builtins.ts';
import type { Definition } from '../core/component.ts';
import { DepthlineError } from '../core/errors.ts';
import { type MessageKind, messageKinds } from '../core/frame.ts';
import { valueProblems } from '../core/option-problems.ts';
import { resolvePath } from '../core/resolve-path.ts';
import { loadPipelineFile } from '../pipeline/pipeline-file.ts';
import { positive } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { requireFile } from './named-input.ts';
import { type RunFlags, runAction, withRunFlags } from './run.ts';

interface Flags extends RunFlags {
  readonly pipeline: string;
  readonly as?: MessageKind;
  readonly camera?: string;
  readonly topic?: string;
  readonly speed?: number;
  readonly step?: true;
  readonly loop?: true;
  readonly from?: string;
  readonly to?: string;
}

/** @param onSignals called once this command handles signals itself */
export function replayCommand(onSignals: () => void): Command {
  const command = new Command('replay')
    .description('run a pipeline on a recording, in place of its own source')
    .argument('<file>', 'MCAP file of "run --record", the mcap sink, "ros2 bag" or Foxglove')
    .requiredOption(
      '--pipeline <name-or-file>',
      'name of a pipeline (see "depthline list"), or path of a .yaml file',
    )
    .addOption(
      new Option('--as <kind>', 'what is read (default: what the pipeline takes)').choices(
        messageKinds,
      ),
    )
    .option('--camera <name>', 'whose recording it is, of a pipeline of several cameras')
    .option('--topic <name>', 'topic to read, such as /camera/color/image_raw')
    .option(
      '--speed <times>',
      'at the times of the recording, times this; without it as fast as possible',
      positive,
    )
    .option('--step', 'a frame for each line on standard input (press Enter)')
    .option('--loop', 'start over at the end')
    .option('--from <duration>', 'where to begin, such as 10s')
    .option('--to <duration>', 'where to end, such as 1min');
  return withRunFlags(command).action((file: string, flags: Flags) =>
    replay(file, flags, onSignals),
  );
}

async function replay(file: string, flags: Flags, onSignals: () => void): Promise<void> {
  const { pipeline, topic, speed, step, loop, from, to } = flags;
  if (step && speed !== undefined)
    throw new DepthlineError('CONFIG', '--step and --speed exclude each other');
  const options = {
    path: resolvePath(process.cwd(), file),
    ...(topic !== undefined && { topic }),
    ...(speed !== undefined && { pace: 'recorded', speed }),
    ...(step && { pace: 'step' }),
    ...(loop && { loop }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
  for (const { path: at, message } of valueProblems(
    (builtins.get('mcap', 'source') as Definition).options,
    options,
  )) {
    // Without this they would be reported of a line of the pipeline file.
    const [name] = at as [keyof Flags];
    throw new DepthlineError('CONFIG', `--${name} ${flags[name]}: ${message}`);
  }
  await requireFile(file);
  const as = flags.as ?? (await kindFor(findPipeline(pipeline), options, flags));
  const source = { mcap: { ...options, as } };
  await runAction(pipeline, flags, onSignals, { source, camera: flags.camera });
}

/** What of the recording the pipeline takes, pictures first; if it takes none, what there is. */
async function kindFor(
  pipeline: string,
  options: { readonly path: string },
  { set = [], camera }: Pick<Flags, 'set' | 'camera'>,
): Promise<MessageKind> {
  const { kindsOf } = await import('../mcap/kinds.ts');
  const held = await kindsOf(options.path);
  for (const as of held) {
    const source = { mcap: { ...options, as } };
    const given = { registry: builtins, set, source, camera, checks: 'none' } as const;
    const { problems } = await loadPipelineFile(pipeline, given);
    if (problems.length === 0) return as;
  }
  return held[0] ?? 'image';
}
