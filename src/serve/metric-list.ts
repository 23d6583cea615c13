/** A metric of `/metrics`. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Bounds of ages, seconds. */
export const ageBuckets = [
  0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10,
];
/** Bounds of times of work, seconds. */
export const workBuckets = [
  0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5,
];

/**
 * Every metric, by name. `camera` is there in a run of several cameras only. Names follow the rules of Prometheus: base units, `_total` for counters.
 * docs/monitoring.md has this list, and a test compares them.
 */
export const metricList = {
  depthline_captured_frames_total: {
    type: 'counter',
    help: 'Frames that the source captured, those that the camera lost included',
    labels: ['camera'],
  },
  depthline_added_frames_total: {
    type: 'counter',
    help: 'Frames that operators made beyond those that they got',
    labels: ['camera', 'branch'],
  },
  depthline_delivered_frames_total: {
    type: 'counter',
    help: 'Frames that the sink of the branch has delivered',
    labels: ['camera', 'branch'],
  },
  depthline_dropped_frames_total: {
    type: 'counter',
    help: 'Frames dropped between the source and the sink of the branch, by stage and reason; stages that all branches share count in each',
    labels: ['camera', 'branch', 'stage', 'reason'],
  },
  depthline_failed_frames_total: {
    type: 'counter',
    help: 'Frames on which a stage between the source and the sink of the branch has failed',
    labels: ['camera', 'branch'],
  },
  depthline_in_flight_frames: {
    type: 'gauge',
    help: 'Frames between the source and the sink of the branch',
    labels: ['camera', 'branch'],
  },
  depthline_frame_age_seconds: {
    type: 'histogram',
    help: 'Time from capture to delivery',
    labels: ['camera', 'branch'],
  },
  depthline_inference_seconds: {
    type: 'histogram',
    help: 'Time that the model took for a frame',
    labels: ['camera', 'stage'],
  },
  depthline_stage_entered_frames_total: {
    type: 'counter',
    help: 'Frames that have entered the stage',
    labels: ['camera', 'stage'],
  },
  depthline_stage_left_frames_total: {
    type: 'counter',
    help: 'Frames that have left the stage',
    labels: ['camera', 'stage'],
  },
  depthline_stage_failed_frames_total: {
    type: 'counter',
    help: 'Frames on which the stage has failed',
    labels: ['camera', 'stage'],
  },
  depthline_stage_in_flight_frames: {
    type: 'gauge',
    help: 'Frames inside the stage, its queue included',
    labels: ['camera', 'stage'],
  },
  depthline_stage_state: {
    type: 'gauge',
    help: '1 for the state that the stage is in, 0 for the others: running, waiting, blocked, reconnecting, stalled',
    labels: ['camera', 'stage', 'state'],
  },
  depthline_queue_frames: {
    type: 'gauge',
    help: 'Frames that wait in the queue of the stage',
    labels: ['camera', 'stage'],
  },
  depthline_restarts_total: {
    type: 'counter',
    help: 'Restarts of a child process or worker of the stage',
    labels: ['camera', 'stage'],
  },
  depthline_camera_state: {
    type: 'gauge',
    help: '1 for the state that the camera is in, 0 for the others: running, ending, ended, failed; in a run of several',
    labels: ['camera', 'state'],
  },
  depthline_ready: {
    type: 'gauge',
    help: '1 while /readyz answers 200',
    labels: [],
  },
  depthline_run_seconds: {
    type: 'gauge',
    help: 'Time since the source was started',
    labels: [],
  },
  depthline_process_cpu_seconds_total: {
    type: 'counter',
    help: 'CPU time of the process: main, capture, output or other',
    labels: ['process'],
  },
  depthline_process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory of the process: main, capture, output or other',
    labels: ['process'],
  },
  depthline_processes: {
    type: 'gauge',
    help: 'Processes of the run: main, capture, output or other',
    labels: ['process'],
  },
  depthline_model_info: {
    type: 'gauge',
    help: '1; the model that the stage runs, with the start of the SHA-256 of its file',
    labels: ['camera', 'stage', 'model', 'sha256'],
  },
  depthline_build_info: {
    type: 'gauge',
    help: '1; versions of Depthline, Node.js and ONNX Runtime',
    labels: ['version', 'node', 'onnxruntime'],
  },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof metricList;
