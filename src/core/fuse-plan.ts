import type { Fusion } from './fusion.ts';
import type { OperatorStep, Pipeline } from './pipeline.ts';

/** What the source does itself, and the operators that are left. */
export interface FusedPlan {
  readonly fused: readonly Fusion[];
  /** Steps that the source's launch line carries out. */
  readonly fusedSteps: readonly OperatorStep[];
  readonly operators: readonly OperatorStep[];
}

/** Moves the operators that stand directly behind a GStreamer source into its launch line. */
export async function applyFusion(pipeline: Pipeline): Promise<FusedPlan> {
  const operators = [...pipeline.operators];
  const fused: Fusion[] = [];
  const fusedSteps: OperatorStep[] = [];
  if (!pipeline.source.definition.fuses) return { fused, fusedSteps, operators };
  while (operators.length > 0) {
    const step = operators[0] as OperatorStep;
    const fusion = step.component?.definition.fuse?.(step.component.options);
    if (!fusion) break;
    fused.push(fusion);
    fusedSteps.push(step);
    operators.shift();
  }
  return { fused, fusedSteps, operators };
}
