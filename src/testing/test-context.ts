import assert from 'node:assert/strict';
import { systemClock } from '../core/clock.ts';
import type { ComponentContext } from '../core/component-context.ts';
import { Gate } from '../core/gate.ts';
import { noLiveOptions } from '../core/live-options.ts';
import type { QueueOptions } from '../core/queue-options.ts';

/** A component's context that records what the component reports. */
export interface TestContext extends ComponentContext {
  /** Frames dropped so far, by reason. */
  readonly drops: Map<string, number>;
  readonly counts: { failed: number; undelivered: number; inFlight: number; restarts: string[] };
  /** What `reconnecting` was called with, in order. */
  readonly away: (bigint | undefined)[];
  /** Gives the component changed options, as a run does. */
  adjust(options: unknown): void;
  /** Gives the component a changed queue, as a run does. */
  adjustQueue(queue: QueueOptions): void;
  readonly logs: { level: 'debug' | 'info' | 'warn'; message: string }[];
  /** What the component would add to the run's summary. */
  report(): Record<string, unknown>;
  /** Aborts `signal`. */
  abort(): void;
  /** Runs the closings once, last registered first, and awaits them; throws the first error. */
  close(): Promise<void>;
}

/**
 * A context for a component under test: real time, an open gate and a queue of one frame that
 * blocks, unless `overrides` says otherwise. In a pipeline the runtime makes the context.
 */
export function testContext(overrides: Partial<ComponentContext> = {}): TestContext {
  const controller = new AbortController();
  const cleanups: (() => void | Promise<void>)[] = [];
  const reports: (() => Record<string, unknown>)[] = [];
  const drops = new Map<string, number>();
  const counts = { failed: 0, undelivered: 0, inFlight: 0, restarts: [] as string[] };
  const logs: TestContext['logs'] = [];
  const away: (bigint | undefined)[] = [];
  const takers: ((options: never) => void)[] = [];
  const queueTakers = new Set<(queue: QueueOptions) => void>();
  const log = (level: 'debug' | 'info' | 'warn') => (message: string) => {
    logs.push({ level, message });
  };
  const context: TestContext = {
    name: 'test',
    path: 'test',
    signal: controller.signal,
    clock: systemClock,
    log: { debug: log('debug'), info: log('info'), warn: log('warn') },
    gate: new Gate(),
    queue: { limit: 1, whenFull: 'block' },
    onAdjust: (take) => takers.push(take),
    onQueue: (take) => {
      queueTakers.add(take);
      return () => queueTakers.delete(take);
    },
    fused: [],
    baseDirectory: process.cwd(),
    dropped: (n, why) => drops.set(why, (drops.get(why) ?? 0) + n),
    failed: (n) => {
      counts.failed += n;
    },
    undelivered: (n) => {
      counts.undelivered += n;
    },
    inFlight: (n) => {
      counts.inFlight = n;
    },
    gives: () => {},
    restarted: (why) => {
      counts.restarts.push(why);
    },
    reconnecting: (since) => {
      away.push(since);
    },
    defer: (cleanup) => cleanups.push(cleanup),
    summary: (report) => reports.push(report),
    runStats: () => ({
      captured: 0,
      processed: 0,
      elapsedMs: 0,
      ending: false,
      branches: [],
      heldBy: [],
      paused: false,
      stages: [],
    }),
    live: noLiveOptions,
    share: (_, open) => open(context),
    ...overrides,
    drops,
    counts,
    away,
    logs,
    adjust(options) {
      assert.ok(takers.length > 0, 'call context.onAdjust in create');
      for (const take of takers) take(options as never);
    },
    adjustQueue(queue) {
      for (const take of queueTakers) take(queue);
    },
    report: () => Object.assign({}, ...reports.map((report) => report())),
    abort: () => controller.abort(),
    async close() {
      const errors: unknown[] = [];
      for (const cleanup of cleanups.splice(0).reverse()) {
        try {
          await cleanup();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    },
  };
  return context;
}

/** Frames dropped so far, whatever the reason. */
export function dropTotal({ drops }: TestContext): number {
  return [...drops.values()].reduce((sum, count) => sum + count, 0);
}
