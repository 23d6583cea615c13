import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startProcess } from './cli.ts';
import { freePort } from './free-port.ts';

const unpacked = fileURLToPath(new URL('../../out/packages/prometheus/usr/bin/', import.meta.url));

/** The path of `prometheus` or `promtool`; undefined where it cannot be had. */
export function prometheusTool(name: 'prometheus' | 'promtool'): string | undefined {
  return [unpacked, '/usr/bin/']
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus {
  /** Evaluates an expression now. */
  query(expression: string): Promise<Sample[]>;
  /** Health of the only target: `up`, `down`, `unknown`, and its last error. */
  target(): Promise<{ health: string; lastError: string }>;
}

/** Starts Debian's Prometheus, which scrapes `address` twice per second until the test ends. */
export async function scrape(
  address: string,
  { scrapeConfig = '' }: { readonly scrapeConfig?: string } = {},
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'depthline-prometheus-'));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs:
  - job_name: depthline
${scrapeConfig}
    static_configs: [{ targets: ["${new URL(address).host}"] }]
`,
  );
  const port = await freePort();
  const running = startProcess(prometheusTool('prometheus') as string, [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.finished;
    rmSync(folder, { recursive: true, force: true });
  });
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, error, data } = (await answer.json()) as {
      status: string;
      error?: string;
      data: Record<string, unknown>;
    };
    if (status !== 'success') throw new Error(error);
    return data;
  };
  const prometheus: Prometheus = {
    async query(expression) {
      const data = await ask(`query?query=${encodeURIComponent(expression)}`);
      const found = data.result as { metric: Record<string, string>; value: [number, string] }[];
      return found.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async target() {
      const data = await ask('targets');
      const [target] = data.activeTargets as { health: string; lastError: string }[];
      return target ?? { health: 'unknown', lastError: '' };
    },
  };
  for (;;) {
    const known = await prometheus.target().catch(() => undefined);
    if (known && known.health !== 'unknown') return prometheus;
    if (running.child.exitCode !== null) throw new Error(running.stderr);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
