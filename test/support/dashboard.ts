import { readFileSync } from 'node:fs';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: unknown }[];
  };
}

export function readDashboard(): Dashboard {
  const file = new URL('../../deploy/grafana/depthline.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
}

/** Title and expression of every query, as Grafana sends it with all runs selected. */
export function dashboardQueries(): [title: string, query: string][] {
  return readDashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [
      title,
      expr.replaceAll(/\$(job|instance)\b/g, '.*').replaceAll('$__rate_interval', '1m'),
    ]),
  );
}
