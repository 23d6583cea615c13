import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Seconds that the files take which take longest. Begun last, one of them would run alone at the end, with the
 * other workers idle.
 */
export const seconds: Readonly<Record<string, number>> = {
  'faults/recording.test.ts': 33,
  'conformance/sources.test.ts': 29,
  'faults/topic.test.ts': 24,
  'docs/site.test.ts': 21,
  'cli/tune.test.ts': 23,
  'web/page.test.ts': 20,
  'cli/bad-input.test.ts': 19,
  'sinks/ros1.test.ts': 19,
  'sources/csi-camera.test.ts': 17,
  'pipelines/pipelines.test.ts': 17,
  'cli/run.test.ts': 16,
  'faults/pipeline-file.test.ts': 16,
  'cli/bench.test.ts': 16,
  'faults/operators.test.ts': 16,
  'cli/unending-operator.test.ts': 15,
  'cli/replay.test.ts': 14,
  'web/page-run.test.ts': 14,
  'sources/video-file.test.ts': 12,
  'sinks/video.test.ts': 12,
  'sources/ros1.test.ts': 12,
  'faults/recording-disk.test.ts': 11,
  'faults/suspend.test.ts': 11,
  'serve/commands.test.ts': 11,
  'testing/conformance.test.ts': 11,
  'serve/systemd.test.ts': 10,
  'integration/nats-workers.test.ts': 10,
  'gstreamer/capture/capture.test.ts': 10,
  'faults/paths.test.ts': 10,
  'web/page-cloud.test.ts': 10,
  'serve/run-server.test.ts': 10,
  'cli/calibrate.test.ts': 10,
  'sources/synthetic-room.test.ts': 9,
  'web/page-access.test.ts': 9,
  'faults/signals.test.ts': 9,
  'package/package.test.ts': 9,
  'faults/secrets.test.ts': 9,
  'cli/output.test.ts': 9,
  'sources/rtsp.test.ts': 8,
  'serve/run-health.test.ts': 8,
  'cli/commands.test.ts': 8,
  'faults/gdp.test.ts': 7,
  'integration/restarts.test.ts': 7,
  'docs/writing-components.test.ts': 7,
  'examples/python-subscriber.test.ts': 7,
  'cli/log-json.test.ts': 7,
  'faults/disk.test.ts': 6,
  'serve/prometheus.test.ts': 6,
  'conformance/sinks.test.ts': 6,
};

/** Begins with the files that take longest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}

function secondsOf({ moduleId }: TestSpecification): number {
  return seconds[moduleId.slice(moduleId.lastIndexOf('/test/') + '/test/'.length)] ?? 0;
}
