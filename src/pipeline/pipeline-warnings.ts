import { cameraPlaceholder } from '../core/camera-placeholder.ts';
import type { Definition } from '../core/component.ts';
import { type AnyPipeline, pipelinesOf } from './cameras.ts';
import { optionsWithCamera } from './for-cameras.ts';
import type { Bound, OperatorStep, Pipeline } from './pipeline.ts';

/** The warnings of a pipeline, or of all its cameras, none twice. */
export function allWarnings(pipeline: AnyPipeline): string[] {
  return [...new Set(pipelinesOf(pipeline).flatMap(pipelineWarnings))];
}

/** What is valid in a pipeline but probably not meant, each with its place. */
export function pipelineWarnings({
  source,
  operators,
  branches,
  baseDirectory,
  camera,
}: Pipeline): string[] {
  const sourcePath = `${camera === undefined ? '' : `camera ${camera}: `}source ${source.definition.name}`;
  const told = (path: string, { definition, options }: Bound<Definition>) =>
    (definition.warnings?.(options, baseDirectory) ?? []).map((text) => warning(path, text));
  const steps = [...operators, ...branches.flatMap((branch) => branch.operators)];
  return [
    ...told(sourcePath, source),
    ...scaledBefore(operators),
    ...branches.flatMap(({ path, sink }) => told(path, sink)),
    ...unnamedCameras(sourcePath, source, camera),
    ...steps.flatMap(({ path, component }) =>
      component ? unnamedCameras(path, component, camera) : [],
    ),
    ...branches.flatMap(({ path, sink }) => unnamedCameras(path, sink, camera)),
  ];
}

/** Options in which nothing stands for `{camera}`, because no camera has a name, or the sink is there for all. */
function unnamedCameras(
  path: string,
  { definition, options }: Bound<Definition>,
  camera: string | undefined,
): string[] {
  const { shared = false, namesCamera = [] } = definition.role === 'sink' ? definition : {};
  const named = camera !== undefined || !shared ? namesCamera : [];
  const why =
    camera === undefined
      ? 'the pipeline has one source, without a name; name its cameras under "cameras"'
      : 'the sink is there once for all cameras; remove it';
  return optionsWithCamera(options)
    .filter((option) => !named.includes(option))
    .map((option) => warning(path, `${option}: ${cameraPlaceholder} is used as it is: ${why}`));
}

/** Operators that want the source's own picture behind one that scales it. */
function scaledBefore(steps: readonly OperatorStep[]): string[] {
  const warnings: string[] = [];
  let scaled: { readonly path: string; readonly size: string } | undefined;
  for (const { path, component } of steps) {
    const does = component?.definition.fuse?.(component.options);
    if (does?.do === 'resize') scaled = { path, size: `${does.width}×${does.height}` };
    if (!scaled || !component?.definition.wantsWhole?.(component.options)) continue;
    const text = `it is to work on the source's own picture, but ${scaled.path} has scaled that to ${scaled.size}; remove the resize to keep the picture whole`;
    warnings.push(warning(path, text));
  }
  return warnings;
}

function warning(path: string, text: string): string {
  return `${path}: warning: ${text}`;
}
