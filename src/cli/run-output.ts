import { visible } from '../core/printable.ts';
import type { RunStats } from '../core/run-stats.ts';
import { imbalance } from '../runtime/ledger.ts';
import type { RunSummary } from '../runtime/run-handle.ts';
import { camerasTable, camerasText } from './cameras-output.ts';
import { isLogJson, type LogLevel, printLog, rewriteLine } from './output.ts';
import { table } from './table.ts';

/** Interval of status lines where they are not rewritten, milliseconds. */
const plainEveryMs = 5000;

/** The status of a run: one line that is rewritten on a terminal, and printed at intervals elsewhere. */
export class StatusLine {
  readonly #stream = process.stderr;
  readonly #shown: boolean;
  #last: RunStats | undefined;
  #printedAt = 0;
  #onScreen = false;

  constructor(shown: boolean) {
    this.#shown = shown;
  }

  update(stats: RunStats): void {
    if (!this.#shown) return;
    const line = statusText(stats, this.#last);
    this.#last = stats;
    if (this.#stream.isTTY && !isLogJson()) {
      rewriteLine(this.#stream, visible(line).slice(0, (this.#stream.columns ?? 80) - 1));
      this.#onScreen = true;
    } else if (stats.elapsedMs - this.#printedAt >= plainEveryMs) {
      this.#printedAt = stats.elapsedMs;
      printLog('info', line, { event: 'stats', stats });
    }
  }

  /** Another run takes the place of the one before. */
  restart(): void {
    this.#last = undefined;
    this.#printedAt = 0;
  }

  /** Prints a message above the status. */
  print(level: LogLevel, message: string, fields: object = {}): void {
    this.clear();
    printLog(level, message, fields);
  }

  clear(): void {
    if (this.#onScreen) rewriteLine(this.#stream, '');
    this.#onScreen = false;
  }
}

function statusText(stats: RunStats, last: RunStats | undefined): string {
  if (stats.cameras) return camerasText(stats, last);
  const seconds = (stats.elapsedMs - (last?.elapsedMs ?? 0)) / 1000;
  const fps = (stats.processed - (last?.processed ?? 0)) / Math.max(seconds, 1e-3);
  const branches = stats.branches.map((branch) => {
    const dropped = branch.dropped.reduce((sum, drop) => sum + drop.count, 0);
    const age = branch.ageMs === undefined ? '' : ` ${Math.round(branch.ageMs)} ms`;
    return `${branch.name} ${branch.delivered}${age}${dropped > 0 ? ` (${dropped} dropped)` : ''}`;
  });
  const held = stats.heldBy.length > 0 ? ` | source waits for ${stats.heldBy.join(', ')}` : '';
  const stalled = stats.stages
    .filter(({ state }) => state === 'stalled')
    .map(({ stage, quietMs }) => ` | ${stage} stalled for ${Math.round(quietMs / 1000)} s`);
  const away = stats.stages
    .filter(({ since }) => since !== undefined)
    .map(({ stage, since }) => ` | ${stage} reconnecting since ${clockTime(since as string)}`);
  return `${fps.toFixed(1)} fps | ${stats.captured} captured | ${branches.join(' | ')}${held}${away.join('')}${stalled.join('')}`;
}

/** `2026-03-01T12:00:05.123Z` → `13:00:05`, local time. */
function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString('sv-SE');
}

/** The state of every stage, as SIGUSR2 prints it. */
export function formatStages({ stages }: RunStats): string {
  const rows = stages.map((stage) => [
    stage.stage,
    `${stage.state}${stage.since === undefined ? '' : ` since ${clockTime(stage.since)}`}${stage.on === undefined ? '' : ` ${stage.state === 'blocked' ? 'by' : 'on'} ${stage.on}`}`,
    `${(stage.quietMs / 1000).toFixed(1)} s`,
    ...[stage.entered, stage.inside, stage.left, stage.dropped, stage.failed].map(String),
  ]);
  return table([
    ['stage', 'state', 'quiet', 'entered', 'inside', 'left', 'dropped', 'failed'],
    ...rows,
  ]);
}

/** One line of `--stats json`, each second. */
export function jsonStats(stats: RunStats): object {
  return { type: 'stats', ...stats };
}

/** The last line of `--stats json`. */
export function jsonSummary({ error, cameras, ...summary }: RunSummary): object {
  return {
    type: 'summary',
    ...summary,
    ...(cameras && { cameras: cameras.map((one) => ({ ...one, ...jsonError(one.error) })) }),
    ...jsonError(error),
  };
}

function jsonError(error: RunSummary['error']): object {
  return error ? { error: { code: error.code, at: error.at, message: error.message } } : {};
}

/** The ledger, speed and latency of a run, and its components' reports, as text. */
export function formatSummary(summary: RunSummary): string {
  const { latencyMs } = summary;
  const blocks = [
    `${summary.pipeline}: ${summary.captured} frames captured in ${(summary.elapsedMs / 1000).toFixed(1)} s, ${summary.fps.toFixed(1)} fps`,
    latencyMs &&
      `latency, capture to delivery: p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}`,
    ...summary.restarts.map(
      ({ stage, count }) => `${stage} restarted ${count === 1 ? 'once' : `${count} times`}`,
    ),
    ...camerasTable(summary),
    '',
    ledger(summary),
    ...reports(summary),
  ];
  return blocks.filter((block) => block !== undefined).join('\n');
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function ledger(summary: RunSummary): string {
  const rows = [['branch', 'captured', 'delivered', 'dropped', 'failed', 'ledger']];
  const reasons: string[] = [];
  for (const branch of summary.branches) {
    const dropped = branch.dropped.reduce((sum, drop) => sum + drop.count, 0);
    const off = imbalance(branch);
    rows.push([
      branch.name,
      `${branch.captured}${branch.added > 0 ? ` + ${branch.added} added` : ''}`,
      String(branch.delivered),
      String(dropped),
      String(branch.failed),
      off === 0 ? 'balanced' : `off by ${off}`,
    ]);
    for (const drop of branch.dropped) {
      reasons.push(`  ${branch.name}: ${drop.count} dropped at ${drop.stage}, ${drop.reason}`);
    }
  }
  const violations = summary.violations.map((violation) => `  ledger violated at ${violation}`);
  return [table(rows), ...reasons, ...violations].join('\n');
}

function reports(summary: RunSummary): string[] {
  const entries = Object.entries(summary.components).filter(([, facts]) => factText(facts) !== '');
  if (entries.length === 0) return [];
  return ['', ...entries.map(([name, facts]) => `${name}: ${factText(facts)}`)];
}

function factText(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => (key === 'bytes' ? bytes(value) : `${key} ${short(value)}`))
    .join(', ');
}

function bytes(value: unknown): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let amount = Number(value);
  let unit = 0;
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}

function short(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(3);
  if (typeof value === 'object' && value !== null) {
    return `(${factText(value as Record<string, unknown>)})`;
  }
  return String(value);
}
