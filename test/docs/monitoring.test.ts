import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageDirectory } from '../../src/core/entry-point.ts';
import { metricList } from '../../src/serve/metric-list.ts';

it('docs/monitoring.md lists every metric as it is', () => {
  const page = readFileSync(join(packageDirectory(), 'docs/monitoring.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `depthline_'));
  const expected = Object.entries(metricList).map(([name, { type, help, labels }]) => {
    const quoted = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${quoted} | ${help} |`;
  });
  expect(rows).toEqual(expected);
});
