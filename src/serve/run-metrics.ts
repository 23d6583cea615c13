import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { readable } from '../core/printable.ts';
import type { Drop, RunStats } from '../core/run-stats.ts';
import type { FrameObserver } from '../runtime/frame-observer.ts';
import { ageBuckets, type MetricName, metricList, workBuckets } from './metric-list.ts';
import { ProcessAccount, processKinds } from './process-account.ts';

/** Versions for `depthline_build_info`. */
export interface Versions {
  readonly version: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** Reasons of drops that a stage is listed with; a component may make up any number of them. */
const mostReasons = 20;
const longestLabel = 100;
const cameraStates = ['running', 'ending', 'ended', 'failed'] as const;
const states = ['running', 'waiting', 'blocked', 'reconnecting', 'stalled'] as const;

type Labels = Partial<Record<string, string>>;

/** The metrics of a run. Counters are read from its ledger when they are asked for. */
export class RunMetrics implements FrameObserver {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #age: Histogram;
  readonly #work: Histogram;
  readonly #processes = new ProcessAccount();
  /** The model of each stage, and its labels. */
  readonly #models = new Map<string, { readonly sha256: string; readonly labels: Labels }>();
  #rendering: Promise<string> | undefined;

  constructor(versions: Versions) {
    this.contentType = this.#registry.contentType;
    const registers = [this.#registry];
    const histogram = (name: MetricName, buckets: number[]) => {
      const { help, labels } = metricList[name];
      return new Histogram({ name, help, labelNames: [...labels], buckets, registers });
    };
    for (const [name, { type, help, labels }] of Object.entries(metricList)) {
      const settings = { name, help, labelNames: [...labels], registers };
      if (type === 'counter') this.#counters.set(name, new Counter(settings));
      if (type === 'gauge') this.#gauges.set(name, new Gauge(settings));
    }
    this.#age = histogram('depthline_frame_age_seconds', ageBuckets);
    this.#work = histogram('depthline_inference_seconds', workBuckets);
    this.#gauge('depthline_build_info').set({ ...versions }, 1);
  }

  delivered(branch: string, ageMs: number, camera?: string): void {
    this.#age.observe({ ...named(camera), branch }, ageMs / 1000);
  }

  worked(
    stage: string,
    ms: number,
    model?: { readonly name: string; readonly sha256: string },
    camera?: string,
  ): void {
    const labels = { ...named(camera), stage };
    this.#work.observe(labels, ms / 1000);
    const key = `${camera}/${stage}`;
    const before = this.#models.get(key);
    if (!model || before?.sha256 === model.sha256) return;
    const info = this.#gauge('depthline_model_info');
    // Frames from elsewhere may bring any number of them.
    if (before) info.remove(before.labels);
    const sha256 = label(model.sha256.slice(0, 12));
    const own = { ...labels, model: label(model.name), sha256 };
    this.#models.set(key, { sha256: model.sha256, labels: own });
    info.set(own, 1);
  }

  /** Another run begins: its ledger starts at 0, and so do the histograms. */
  reset(): void {
    this.#age.reset();
    this.#work.reset();
    this.#gauge('depthline_model_info').reset();
    this.#models.clear();
  }

  /** The text of `/metrics`; `stats` is missing before the run has started. */
  render(stats: () => RunStats | undefined, ready: () => boolean): Promise<string> {
    // Those who ask at the same time share one answer.
    this.#rendering ??= this.#render(stats(), ready()).finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }

  #render(stats: RunStats | undefined, ready: boolean): Promise<string> {
    this.#gauge('depthline_ready').set(ready ? 1 : 0);
    this.#readProcesses();
    if (stats) {
      this.#readBranches(stats);
      this.#readStages(stats);
    }
    return this.#registry.metrics();
  }

  #readProcesses(): void {
    const use = this.#processes.look();
    const cpu = this.#fresh('depthline_process_cpu_seconds_total');
    for (const kind of processKinds) {
      const { count, cpuSeconds, memoryBytes } = use[kind];
      cpu.inc({ process: kind }, cpuSeconds);
      this.#gauge('depthline_process_resident_memory_bytes').set({ process: kind }, memoryBytes);
      this.#gauge('depthline_processes').set({ process: kind }, count);
    }
  }

  #readBranches({ captured, elapsedMs, branches, cameras }: RunStats): void {
    const all = this.#fresh('depthline_captured_frames_total');
    if (!cameras) all.inc(captured);
    const cameraState = this.#freshGauge('depthline_camera_state');
    for (const { name: camera, ...one } of cameras ?? []) {
      all.inc({ camera }, one.captured);
      for (const state of cameraStates)
        cameraState.set({ camera, state }, state === one.state ? 1 : 0);
    }
    this.#gauge('depthline_run_seconds').set(elapsedMs / 1000);
    const added = this.#fresh('depthline_added_frames_total');
    const delivered = this.#fresh('depthline_delivered_frames_total');
    const dropped = this.#fresh('depthline_dropped_frames_total');
    const failed = this.#fresh('depthline_failed_frames_total');
    const inFlight = this.#freshGauge('depthline_in_flight_frames');
    for (const account of branches) {
      const labels = { ...named(account.camera), branch: withoutCamera(account.name, account) };
      added.inc(labels, account.added);
      delivered.inc(labels, account.delivered);
      failed.inc(labels, account.failed);
      inFlight.set(labels, account.inFlight);
      for (const { stage, reason, count } of fewReasons(account.dropped))
        dropped.inc({ ...labels, stage, reason }, count);
    }
  }

  #readStages({ stages, sharedRestarts = [] }: RunStats): void {
    const entered = this.#fresh('depthline_stage_entered_frames_total');
    const left = this.#fresh('depthline_stage_left_frames_total');
    const failed = this.#fresh('depthline_stage_failed_frames_total');
    const restarts = this.#fresh('depthline_restarts_total');
    const inFlight = this.#freshGauge('depthline_stage_in_flight_frames');
    const queued = this.#freshGauge('depthline_queue_frames');
    const state = this.#freshGauge('depthline_stage_state');
    for (const one of stages) {
      const labels = { ...named(one.camera), stage: withoutCamera(one.stage, one) };
      entered.inc(labels, one.entered);
      left.inc(labels, one.left);
      failed.inc(labels, one.failed);
      restarts.inc(labels, one.restarts);
      inFlight.set(labels, one.inside);
      if (one.queued !== undefined) queued.set(labels, one.queued);
      for (const name of states) state.set({ ...labels, state: name }, name === one.state ? 1 : 0);
    }
    for (const { stage, count } of sharedRestarts) restarts.inc({ stage }, count);
  }

  /** The counter, without values: they are read anew from the ledger. */
  #fresh(name: MetricName): Counter {
    const counter = this.#counters.get(name) as Counter;
    counter.reset();
    return counter;
  }

  #gauge(name: MetricName): Gauge {
    return this.#gauges.get(name) as Gauge;
  }

  /** The gauge, without values: another run may have other stages. */
  #freshGauge(name: MetricName): Gauge {
    const gauge = this.#gauge(name);
    gauge.reset();
    return gauge;
  }
}

function named(camera: string | undefined): { camera?: string } {
  return camera === undefined ? {} : { camera };
}

/** A name of a run of several cameras, which has a label for the camera. */
function withoutCamera(name: string, { camera }: { readonly camera?: string }): string {
  return camera === undefined ? name : name.slice(camera.length + 1);
}

/** The drops with a bounded number of reasons per stage; what is beyond it counts as `other`. */
function fewReasons(drops: readonly Drop[]): Drop[] {
  const reasons = new Map<string, number>();
  return drops.map((drop) => {
    const nth = (reasons.get(drop.stage) ?? 0) + 1;
    reasons.set(drop.stage, nth);
    return { ...drop, reason: nth > mostReasons ? 'other' : label(drop.reason) };
  });
}

function label(text: string): string {
  return readable(text).slice(0, longestLabel);
}
