import type { PlanContext } from '../core/component-facts.ts';
import { located } from '../core/errors.ts';
import type { Fusion } from '../core/fusion.ts';
import type { OperatorStep, Pipeline } from './pipeline.ts';

/** The operators that the source carries out, and the others. */
export interface FusedPlan {
  readonly fused: readonly Fusion[];
  /** Steps that the source's launch line carries out. */
  readonly fusedSteps: readonly OperatorStep[];
  readonly operators: readonly OperatorStep[];
  /** The source's pictures arrive as the first operator requires them, and at the size that it requires. */
  readonly direct: boolean;
}

/**
 * Moves the operators directly behind a GStreamer source into its launch line, and makes sure that a
 * network gets the view it was trained on: a `resize` to its input size without a `view` of its own
 * crops to that view; without a `resize` the launch line gets one.
 */
export async function planFusion(pipeline: Pipeline): Promise<FusedPlan> {
  const context = { fused: [], baseDirectory: pipeline.baseDirectory };
  const operators = await withViews(pipeline.operators, context);
  const fused: Fusion[] = [];
  const fusedSteps: OperatorStep[] = [];
  if (!fuses(pipeline)) return { fused, fusedSteps, operators, direct: false };
  for (let step = operators[0]; step; step = operators[0]) {
    const fusion = step.component?.definition.fuse?.(step.component.options);
    if (!fusion || reshapes(fusion, fused)) break;
    fused.push(fusion);
    fusedSteps.push(step);
    operators.shift();
  }
  const wanted = await requirement(operators[0], context);
  const first = operators[0]?.component;
  const whole = first?.definition.wantsWhole?.(first.options) ?? false;
  if (wanted && !whole && !fused.some((fusion) => fusion.do === 'resize')) fused.push(wanted);
  return {
    fused,
    fusedSteps,
    operators,
    direct: !whole && wanted !== undefined && gives(fused, wanted),
  };
}

function fuses({ source }: Pipeline): boolean {
  const { fuses = false } = source.definition;
  return typeof fuses === 'function' ? fuses(source.options) : fuses;
}

/** True if the last of these makes pictures of the size that is wanted. */
function gives(fused: readonly Fusion[], wanted: Fusion): boolean {
  const last = fused.at(-1);
  if (last?.do !== 'resize' || wanted.do !== 'resize') return false;
  return last.width === wanted.width && last.height === wanted.height;
}

/**
 * True for what depends on the shape that an earlier resize gave to the pixels: only the frame knows it,
 * by its view.
 */
function reshapes(fusion: Fusion, before: readonly Fusion[]): boolean {
  const byAspect = fusion.do === 'resize' || (fusion.do === 'crop' && 'aspect' in fusion.region);
  return byAspect && before.some((one) => one.do === 'resize');
}

/** Gives each `resize` in front of a network the view that the network needs. */
async function withViews(
  steps: readonly OperatorStep[],
  context: PlanContext,
): Promise<OperatorStep[]> {
  const result = [...steps];
  for (const [index, step] of steps.entries()) {
    const wanted = await requirement(step, context);
    if (wanted?.do !== 'resize' || wanted.view === undefined) continue;
    const at = result.slice(0, index).findLastIndex((before) => fusionOf(before)?.do === 'resize');
    const before = result[at];
    const fusion = before && fusionOf(before);
    if (!before?.component || fusion?.do !== 'resize') continue;
    const sameSize = fusion.width === wanted.width && fusion.height === wanted.height;
    if (!sameSize || fusion.view !== undefined || fusion.fit !== 'crop') continue;
    const options = { ...(before.component.options as object), view: wanted.view };
    result[at] = { ...before, component: { ...before.component, options } };
  }
  return result;
}

function fusionOf(step: OperatorStep): Fusion | undefined {
  return step.component?.definition.fuse?.(step.component.options);
}

async function requirement(
  step: OperatorStep | undefined,
  context: PlanContext,
): Promise<Fusion | undefined> {
  if (!step?.component) return undefined;
  const { definition, options } = step.component;
  try {
    return await definition.requires?.(options, context);
  } catch (error) {
    throw located(error, 'OPERATOR', step.path);
  }
}
