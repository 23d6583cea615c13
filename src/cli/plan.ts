import { Command } from 'commander';
import { builtins } from '../builtins.ts';
import type { PlanContext } from '../core/component-facts.ts';
import { reason } from '../core/errors.ts';
import { isNested, type NestedSource } from '../core/nested-source.ts';
import { fuseGeometry } from '../depth/fuse-geometry.ts';
import { type Geometry, wholeView } from '../depth/view.ts';
import { hasCameras, pipelinesOf } from '../pipeline/cameras.ts';
import { mostFrameMemory } from '../pipeline/frame-memory.ts';
import { type FusedPlan, planFusion } from '../pipeline/fuse-plan.ts';
import type { OperatorStep, Pipeline } from '../pipeline/pipeline.ts';
import { loadPipelineFile, requireValid } from '../pipeline/pipeline-file.ts';
import { allWarnings } from '../pipeline/pipeline-warnings.ts';
import { pipelineArgument, setOption } from './arguments.ts';
import { findPipeline } from './find-pipeline.ts';
import { print, printError, printJson } from './output.ts';

interface SourcePlan {
  readonly source: string;
  readonly launchLine?: string;
  /** Why this machine has none. */
  readonly launchProblem?: string;
  /** The sources that it reads, by the options that name them. */
  readonly nested?: Readonly<Record<string, SourcePlan>>;
}

interface Plan extends SourcePlan {
  readonly pipeline: string;
  /** Of a pipeline of several. */
  readonly camera?: string;
  readonly fused: readonly string[];
  readonly stages: readonly {
    readonly name: string;
    readonly queue?: string;
    readonly facts?: Record<string, unknown>;
  }[];
  readonly branches: readonly {
    readonly name: string;
    readonly queue: string;
    readonly operators: readonly string[];
  }[];
  /** Frames in flight when every queue is full. */
  readonly mostFrames: number;
  /** What those frames take; absent if the size of the pictures is known only when it runs. */
  readonly mostMemoryMiB?: number;
  /** The largest picture among them: `640×480`. */
  readonly largestPicture?: string;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('show the launch line, fused operators, queues and models of a pipeline')
    .argument(...pipelineArgument)
    .addOption(setOption())
    .option('--json', 'print as JSON')
    .option('--mermaid', 'print as a Mermaid graph')
    .action(async (name: string, flags: { set?: string[]; json?: true; mermaid?: true }) => {
      const loaded = await loadPipelineFile(findPipeline(name), {
        registry: builtins,
        checks: 'none',
        set: flags.set ?? [],
      });
      const pipeline = requireValid(loaded);
      const plans = await Promise.all(
        pipelinesOf(pipeline).map(async (one) => makePlan(one, await planFusion(one))),
      );
      for (const warning of allWarnings(pipeline)) printError(warning);
      const cameras = hasCameras(pipeline) ? plans : undefined;
      const [first] = plans as [Plan];
      if (flags.json) printJson(cameras ? { pipeline: pipeline.name, cameras } : first, 2);
      else if (flags.mermaid) print(['flowchart LR', ...plans.flatMap(mermaid)].join('\n'));
      else print(plans.map(text).join('\n\n'));
    });
}

async function makePlan(pipeline: Pipeline, fusion: FusedPlan): Promise<Plan> {
  const context = { fused: fusion.fused, baseDirectory: pipeline.baseDirectory };
  const pictures = picturesBefore(pipeline, fusion);
  const stages = await Promise.all(
    fusion.operators.map(async (step, index) => {
      const picture = pictures[index];
      const known = {
        ...context,
        ...(picture && { picture: { ...picture.size, view: picture.view } }),
      };
      const facts = await step.component?.definition.plan?.(step.component.options, known);
      return {
        name: step.name,
        ...(step.component?.definition.queued && { queue: queueText(step) }),
        ...(facts && { facts }),
      };
    }),
  );
  const { frames, bytes, largest } = mostFrameMemory(pipeline, fusion);
  return {
    pipeline: pipeline.name,
    ...(pipeline.camera !== undefined && { camera: pipeline.camera }),
    ...(await sourcePlan(pipeline.source, context)),
    fused: fusion.fused.map((one) => JSON.stringify(one)),
    stages,
    branches: pipeline.branches.map((branch) => ({
      name: branch.name,
      queue: queueText(branch),
      operators: branch.operators.map((step) => step.name),
    })),
    mostFrames: frames,
    ...(bytes !== undefined && { mostMemoryMiB: Math.max(1, Math.round(bytes / 2 ** 20)) }),
    ...(largest && { largestPicture: `${largest.width}×${largest.height}` }),
  };
}

async function sourcePlan(
  { definition, options }: NestedSource,
  context: PlanContext,
): Promise<SourcePlan> {
  const given = options as Readonly<Record<string, unknown>>;
  const read: Record<string, SourcePlan> = {};
  for (const option of definition.nested ?? []) {
    const one = given[option];
    // Nothing is fused into a source that another one reads.
    if (isNested(one)) read[option] = await sourcePlan(one, { ...context, fused: [] });
  }
  return {
    source: definition.name,
    ...(await launchOf({ definition, options }, context)),
    ...(Object.keys(read).length > 0 && { nested: read }),
  };
}

async function launchOf(
  { definition, options }: NestedSource,
  context: PlanContext,
): Promise<Pick<SourcePlan, 'launchLine' | 'launchProblem'>> {
  try {
    const launchLine = await definition.launchLine?.(options, context);
    return launchLine === undefined ? {} : { launchLine };
  } catch (error) {
    return { launchProblem: reason(error) };
  }
}

/** The pictures that come to each operator; undefined where they are not known. */
function picturesBefore(
  { source: { definition, options } }: Pipeline,
  { fused, operators }: FusedPlan,
): (Geometry | undefined)[] {
  const size = definition.pictureSize?.(options, fused);
  let picture = size && fuseGeometry({ size, view: wholeView(size) }, fused);
  return operators.map(({ component }) => {
    const before = picture;
    const does = component?.definition.fuse?.(component.options);
    // A user's own function may change anything.
    if (!component) picture = undefined;
    else if (does && picture) picture = fuseGeometry(picture, [does]);
    return before;
  });
}

function queueText({ queue }: Pick<OperatorStep, 'queue'>): string {
  const age = queue.maxAgeMs === undefined ? '' : `, max-age ${queue.maxAgeMs} ms`;
  return `limit ${queue.limit}, ${queue.whenFull}${age}`;
}

function text(plan: Plan): string {
  const lines = [
    `pipeline  ${plan.pipeline}`,
    ...(plan.camera === undefined ? [] : [`camera    ${plan.camera}`]),
    ...sourceLines('source', plan),
  ];
  for (const fused of plan.fused) lines.push(`fused     ${fused}`);
  for (const stage of plan.stages) {
    lines.push(`operator  ${stage.name}${stage.queue ? ` [queue: ${stage.queue}]` : ''}`);
    for (const [key, value] of Object.entries(stage.facts ?? {}))
      lines.push(`            ${key}: ${value}`);
  }
  for (const branch of plan.branches) {
    const chain = [...branch.operators, branch.name].join(' → ');
    lines.push(`branch    [queue: ${branch.queue}] → ${chain}`);
  }
  const memory =
    plan.mostMemoryMiB === undefined
      ? 'their size is known once the source runs'
      : `${plan.mostMemoryMiB} MiB, pictures of up to ${plan.largestPicture}`;
  lines.push(`memory    at most ${plan.mostFrames} frames in flight, ${memory}`);
  return lines.join('\n');
}

function sourceLines(label: string, plan: SourcePlan): string[] {
  const { source, launchLine, launchProblem: problem, nested = {} } = plan;
  const lines = [`${label.padEnd(9)} ${source}`];
  if (launchLine) lines.push(`launch    ${launchLine}`);
  if (problem) lines.push(`launch    not available on this machine: ${problem}`);
  return [...lines, ...Object.entries(nested).flatMap(([option, one]) => sourceLines(option, one))];
}

/** The lines of a graph; of each camera, where there are several, with names of its own. */
function mermaid(plan: Plan, nth: number): string[] {
  const { camera } = plan;
  const of = camera === undefined ? '' : `c${nth}`;
  const name = camera === undefined ? '' : `${camera}: `;
  const source = `${name}${plan.source}${plan.fused.length > 0 ? ' + fused' : ''}`;
  const lines = [`  ${of}source["${source}"]`];
  let last = `${of}source`;
  for (const [index, stage] of plan.stages.entries()) {
    const label = stage.queue ? `|"${stage.queue}"|` : '';
    lines.push(`  ${last} -->${label} ${of}o${index}["${stage.name}"]`);
    last = `${of}o${index}`;
  }
  for (const [index, branch] of plan.branches.entries()) {
    const chain = [...branch.operators, branch.name].join(' → ');
    lines.push(`  ${last} -->|"${branch.queue}"| ${of}b${index}["${chain}"]`);
  }
  return lines;
}
