import { Observable } from 'rxjs';
import type { ComponentContext } from '../../core/component-context.ts';
import type { PlanContext } from '../../core/component-facts.ts';
import { DepthlineError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import { mask, noteSecrets } from '../../core/secrets.ts';
import { geometryOfFrames } from '../../depth/fuse-geometry.ts';
import type { IntrinsicsOptions } from '../../depth/intrinsics-options.ts';
import { explainFailure, isMissing } from '../failures.ts';
import { type Head, launchLine, type Tail } from '../launch-line.ts';
import { availableEngines } from '../probe/engines.ts';
import { nvScaler } from '../probe/nvvidconv.ts';
import type { CaptureOptions, Content, PreparedProcess } from './capture.ts';
import { CaptureProcess } from './capture-process.ts';
import { everyFrame, newestFrame, playedFrame } from './intake.ts';
import { CameraCapture, LiveCapture, type LiveOptions } from './live-capture.ts';
import { ReplayCapture, type ReplayOptions } from './replay-capture.ts';

interface SpecOf<Options extends CaptureOptions> {
  readonly head: Head;
  readonly tail: Tail;
  readonly intrinsics?: IntrinsicsOptions | undefined;
  /** What the frames are; default: RGB pictures. */
  readonly content?: Content | undefined;
  /** The head after a restart; undefined when nothing is left. Default: the same. */
  headAfter?(captured: number): Head | undefined;
  readonly capture: Omit<Options, 'launchLine' | 'intake' | 'geometry'>;
}

/**
 * What distinguishes a GStreamer source from the others. A `camera` has no
 * end, a `live` source may have one, a `replay` delivers the same frames in each run.
 */
export type SourceSpec =
  | ({ readonly kind: 'camera' | 'live' } & SpecOf<LiveOptions>)
  | ({ readonly kind: 'replay' } & SpecOf<ReplayOptions>);

const captures = { camera: CameraCapture, live: LiveCapture, replay: ReplayCapture } as const;

/** The launch line for `plan`, without passwords. */
export async function planLine(
  { head, tail }: Pick<SourceSpec, 'head' | 'tail'>,
  { fused }: PlanContext,
): Promise<string> {
  const engines = await availableEngines(head, fused);
  const line = launchLine(head, fused, tail, engines, await nvScaler(head, engines));
  noteSecrets(line);
  return mask(line);
}

/**
 * Opens a source that is a launch line.
 *
 * @throws DepthlineError `MISSING`, `SOURCE` or `CONFIG` if it cannot work here
 */
export async function openSource(
  spec: SourceSpec,
  context: ComponentContext,
): Promise<Observable<Frame>> {
  const { head, tail, headAfter, kind } = spec;
  const { fused } = context;
  const engines = await availableEngines(head, fused);
  const scaler = await nvScaler(head, engines);
  const first = launchLine(head, fused, tail, engines, scaler);
  noteSecrets(first);
  context.log.debug(mask(`launch line: ${first}`));
  const prepared = await prepare(spec.capture.what, first, context);
  const options: CaptureOptions = {
    prepared,
    ...spec.capture,
    intake: !tail.live ? everyFrame : kind === 'replay' ? playedFrame : newestFrame,
    launchLine({ captured, pts }) {
      const next = headAfter ? headAfter(captured) : head;
      return next && launchLine(next, fused, { ...tail, pacedFrom: pts }, engines, scaler);
    },
    reader: () => context.reader?.(),
    geometry: geometryOfFrames(spec.intrinsics, head.size, fused),
    content: spec.content,
  };
  return capture(kind, options, context);
}

/** Subscribing starts the capture process, unsubscribing ends it; closing waits until it is gone. */
export function capture(
  kind: SourceSpec['kind'],
  options: CaptureOptions,
  context: ComponentContext,
): Observable<Frame> {
  const ended = new Set<Promise<void>>();
  context.defer(async () => {
    await Promise.all(ended);
  });
  return new Observable((subscriber) => {
    const run = new captures[kind](options, context, subscriber);
    const over = run.over.then(() => {
      ended.delete(over);
    });
    ended.add(over);
    run.start();
    return () => run.stop();
  });
}

/**
 * Starts the first capture process while the rest of the pipeline is built; its pipeline runs when it is
 * taken.
 */
async function prepare(
  what: string,
  line: string,
  context: ComponentContext,
): Promise<PreparedProcess> {
  let process: CaptureProcess | undefined = new CaptureProcess(line);
  context.defer(async () => {
    process?.hold(true);
    process?.stop('at once');
    await process?.gone;
  });
  const failure = await process.prepared;
  if (failure) {
    const code = isMissing(failure) ? 'MISSING' : 'SOURCE';
    throw new DepthlineError(code, explainFailure(what, failure));
  }
  // A component that waits for nothing is to be noticed, though this process is there.
  process.hold(false);
  return {
    take(launchLine) {
      const taken = launchLine === line ? process : undefined;
      taken?.hold(true);
      if (taken) process = undefined;
      return taken;
    },
  };
}
