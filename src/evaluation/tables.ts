import type { DepthErrors } from '../depth/metrics.ts';
import type { ModelResult, SetResult } from './evaluate.ts';

/** The columns of a table; `better` is the direction of improvement. */
export const figures: readonly {
  readonly key: keyof DepthErrors;
  readonly title: string;
  readonly better: 'high' | 'low';
}[] = [
  { key: 'delta1', title: 'δ1', better: 'high' },
  { key: 'delta2', title: 'δ2', better: 'high' },
  { key: 'delta3', title: 'δ3', better: 'high' },
  { key: 'rmse', title: 'RMSE m', better: 'low' },
  { key: 'mae', title: 'MAE m', better: 'low' },
  { key: 'absRel', title: 'AbsRel', better: 'low' },
  { key: 'sqRel', title: 'SqRel m', better: 'low' },
  { key: 'log10', title: 'log10', better: 'low' },
];

/** A table of text cells: one row per model, then one per model with median scaling. */
export function comparisonRows({ models }: SetResult): string[][] {
  const head = ['model', ...figures.map(({ title }) => title), 'ms p50', 'ms p95'];
  return [
    head,
    ...models.map((model) => row(model.model, model, 'errors')),
    ...models.map((model) => row(`${model.model}, median-scaled`, model, 'scaled')),
  ];
}

function row(name: string, model: ModelResult, kind: 'errors' | 'scaled'): string[] {
  // Depth without a unit has no error in metres.
  const meaningless = kind === 'errors' && model.relative;
  return [
    name,
    ...figures.map(({ key }) => (meaningless ? '–' : figure(model[kind][key]))),
    milliseconds(model.latencyMs?.p50),
    milliseconds(model.latencyMs?.p95),
  ];
}

export function figure(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '–' : value.toFixed(3);
}

export function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(1);
}

/** Caveats that belong to the figures. */
export function notes({ models, frames }: SetResult): string[] {
  return models.flatMap(({ model, relative, coverage, errors }) => [
    ...(errors.frames < frames
      ? [`${model}: ${frames - errors.frames} of ${frames} frames have no pixel to compare`]
      : []),
    ...(coverage < 1
      ? [
          `${model}: predicts ${(coverage * 100).toFixed(1)} % of the pixels with truth; the errors cover only those`,
        ]
      : []),
    ...(relative
      ? [
          `${model}: outputs relative depth without a unit; only its median-scaled errors are meaningful`,
        ]
      : []),
  ]);
}
