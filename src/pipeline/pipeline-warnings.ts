import type { Definition } from '../core/component.ts';
import { type AnyPipeline, pipelinesOf } from './cameras.ts';
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
  const told = (path: string, { definition, options }: Bound<Definition>) =>
    (definition.warnings?.(options, baseDirectory) ?? []).map((text) => warning(path, text));
  return [
    ...told(
      `${camera === undefined ? '' : `camera ${camera}: `}source ${source.definition.name}`,
      source,
    ),
    ...scaledBefore(operators),
    ...branches.flatMap(({ path, sink }) => told(path, sink)),
  ];
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
