import { describe, expect, it } from 'vitest';
import { metricList } from '../../src/serve/metric-list.ts';
import { dashboardQueries, readDashboard } from '../support/dashboard.ts';

const { panels, templating } = readDashboard();

/** Of the targets: Prometheus adds them. */
const targetLabels = ['job', 'instance'];

function labelsOf(name: string): readonly string[] {
  const metric = name.replace(/_(bucket|sum|count)$/, '') as keyof typeof metricList;
  const entry = metricList[name as keyof typeof metricList] ?? metricList[metric];
  const bucket = entry.type === 'histogram' ? ['le'] : [];
  return [...entry.labels, ...bucket, ...targetLabels];
}

describe('deploy/grafana/depthline.json', () => {
  it('asks for metrics that exist, with their labels', () => {
    const known = Object.entries(metricList).flatMap(([name, { type }]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    for (const [title, query] of dashboardQueries()) {
      const names = query.match(/\bdepthline_\w+/g) ?? [];
      expect(names.length, title).toBeGreaterThan(0);
      expect(known, title).toEqual(expect.arrayContaining(names));
      const labels = [
        ...[...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list?.split(', ') ?? []),
        ...[...query.matchAll(/(\w+)=~?"/g)].map(([, label]) => label as string),
      ];
      for (const name of names)
        expect(labelsOf(name), title).toEqual(expect.arrayContaining(labels));
    }
  });

  it('shows every metric', () => {
    const queries = dashboardQueries()
      .map(([, query]) => query)
      .join('\n');
    const missing = Object.keys(metricList).filter((name) => !queries.includes(name));
    expect(missing).toEqual([]);
  });

  it('has panels with names of their own that do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(places, title).not.toContain(`${x} ${y}`);
          places.add(`${x} ${y}`);
        }
    }
    for (const { title, targets = [] } of panels) {
      const refs = targets.map(({ refId }) => refId);
      expect(new Set(refs).size, title).toBe(refs.length);
    }
  });

  it('uses the variables that it has', () => {
    const names = templating.list.map(({ name }) => name);
    const used = JSON.stringify({ panels, templating }).matchAll(/\$\{?(?!__)(\w+)/g);
    expect(names).toEqual(expect.arrayContaining([...used].map(([, name]) => name)));
  });
});
