import { DepthlineError, located } from '../core/errors.ts';
import type { AssembledBranch, Assembly } from './assembly.ts';
import type { ComponentReport } from './component-report.ts';
import { LatencyRecorder } from './latency.ts';
import { branchAccount, imbalance, ledgerViolations } from './ledger.ts';
import type { RunSummary } from './run-handle.ts';

/** The ledger and the latency of every branch, and the latency over all of them. */
export function resultsOf(
  branches: readonly AssembledBranch[],
): Pick<RunSummary, 'branches' | 'latencyMs'> {
  const all = new LatencyRecorder();
  for (const { branch } of branches) all.add(branch.latency);
  return {
    branches: branches.map(({ branch, stages }) => ({
      ...branchAccount(branch.name, stages),
      latencyMs: branch.latency.percentiles(),
    })),
    latencyMs: all.percentiles(),
  };
}

/**
 * What components say at the end of a run, by name of the component.
 *
 * @param onFailure told of a component that fails at that; the others have their say
 */
export function componentReports(
  reports: readonly ComponentReport[],
  onFailure: (error: DepthlineError) => void,
): RunSummary['components'] {
  const components: Record<string, Record<string, unknown>> = {};
  for (const { name, report } of reports) {
    try {
      components[name] = { ...components[name], ...report() };
    } catch (error) {
      onFailure(located(error, 'OPERATOR', `summary of ${name}`));
    }
  }
  return components;
}

/** How often stages were restarted; those that never were are left out. */
export function restartsOf({ stages }: Assembly): RunSummary['restarts'] {
  return stages
    .filter(({ restarts }) => restarts > 0)
    .map(({ name, restarts }) => ({ stage: name, count: restarts }));
}

/** Where the ledger law does not hold: one text per stage or branch, none twice. */
export function violationsOf(branches: readonly AssembledBranch[]): readonly string[] {
  const all = branches.flatMap(({ branch, stages }) => {
    const off = imbalance(branchAccount(branch.name, stages));
    const found = ledgerViolations(stages);
    return off !== 0 && found.length === 0 ? [`${branch.name}: off by ${off} frames`] : found;
  });
  return [...new Set(all)];
}

export function unaccounted(violations: readonly string[]): DepthlineError {
  const message = `frames are not accounted for (${violations.join('; ')}); this is a bug in Depthline or in a component of this pipeline`;
  return new DepthlineError('INTERNAL', message);
}
