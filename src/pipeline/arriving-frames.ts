import type { OperatorDefinition } from '../core/component.ts';
import type { ExpectedFrames } from '../core/component-facts.ts';
import { frameKinds } from '../core/frame.ts';
import { sizeAfter } from '../core/fusion.ts';
import type { Size } from '../core/size.ts';
import { emittedKinds } from './frame-kinds.ts';
import type { FusedPlan } from './fuse-plan.ts';
import type { BranchStep, OperatorStep, Pipeline } from './pipeline.ts';

/**
 * The frames that come to the sink of a branch, as far as they are known before the first.
 *
 * @param given sizes that operators have told when they were open, by their paths
 */
export function arrivingFrames(
  { source }: Pipeline,
  { fused, operators }: FusedPlan,
  branch: BranchStep,
  given: ReadonlyMap<string, Size>,
): ExpectedFrames {
  const { definition, options } = source;
  const start: ExpectedFrames = {
    kinds: emittedKinds(source, frameKinds),
    size: fused.reduce<Size | undefined>(sizeAfter, definition.pictureSize?.(options, fused)),
  };
  const trunk = branch.takes === 'source' ? [] : operators;
  return [...trunk, ...branch.operators].reduce(
    (arriving, step) => behind(step, arriving, given),
    start,
  );
}

function behind(
  { path, component }: OperatorStep,
  { kinds, size }: ExpectedFrames,
  given: ReadonlyMap<string, Size>,
): ExpectedFrames {
  // A user's own function may change anything.
  if (!component) return { kinds: frameKinds, size: undefined };
  const definition: OperatorDefinition = component.definition;
  const does = definition.fuse?.(component.options);
  const kept = definition.keepsSize ? size : undefined;
  return {
    kinds: emittedKinds(component, kinds),
    size: does ? size && sizeAfter(size, does) : (given.get(path) ?? kept),
  };
}
