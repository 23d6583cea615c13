import type { Observable } from 'rxjs';
import type { ComponentContext, PlanContext } from '../../core/component.ts';
import { DepthlineError } from '../../core/errors.ts';
import type { Frame } from '../../core/frame.ts';
import { type IntrinsicsOptions, intrinsicsOfFrames } from '../../depth/intrinsics.ts';
import { explainFailure, isMissing, redact } from '../failures.ts';
import { type Head, launchLine, type Tail } from '../launch-line.ts';
import { availableEngines } from '../probe/engines.ts';
import { probe } from '../probe/probe.ts';
import { type CaptureOptions, capture } from './capture.ts';

/** What a GStreamer source says of itself; the rest is the same for all of them. */
export interface SourceSpec extends Omit<CaptureOptions, 'launchLine' | 'live' | 'intrinsics'> {
  readonly head: Head;
  readonly tail: Tail;
  readonly intrinsics?: IntrinsicsOptions | undefined;
  /** The head after a restart, given how many frames have been captured. Default: the same. */
  headAfter?(captured: number): Head;
  /** Have GStreamer parse the line first, for lines that name elements a machine may lack. */
  readonly check?: boolean;
}

/** The launch line for `plan`, without passwords. */
export async function planLine(
  { head, tail }: Pick<SourceSpec, 'head' | 'tail'>,
  { fused }: PlanContext,
): Promise<string> {
  return redact(launchLine(head, fused, tail, await availableEngines(head, fused)));
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
  const { head, tail, headAfter, intrinsics: camera, ...rest } = spec;
  const { fused } = context;
  const engines = await availableEngines(head, fused);
  const first = launchLine(head, fused, tail, engines);
  context.log.debug(`launch line: ${redact(first)}`);
  const intrinsics = intrinsicsOfFrames(camera, head.size, fused);
  if (spec.check) await checkParses(spec.what, first);
  return capture(
    {
      ...rest,
      live: tail.live,
      launchLine: ({ captured, pts }) =>
        launchLine(headAfter?.(captured) ?? head, fused, { ...tail, pacedFrom: pts }, engines),
      ...(intrinsics && { intrinsics }),
    },
    context,
  );
}

async function checkParses(what: string, line: string) {
  const message = await probe('parse', line);
  if (message === undefined) return;
  const failure = { phase: 'parse', message } as const;
  const code = isMissing(failure) ? 'MISSING' : 'SOURCE';
  throw new DepthlineError(code, explainFailure(what, failure));
}
